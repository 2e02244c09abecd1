"""How long a decision takes; see `bench/decisions.py`.

python bench/policies.py --json policies.json
"""

from bench.decisions import main

if __name__ == "__main__":
    main()
