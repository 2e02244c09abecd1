"""How fast the V4 runtime decodes; see `bench/decode_speed.py`.

python bench/local_model.py --json local_model.json
"""

from bench.decode_speed import main

if __name__ == "__main__":
    main()
