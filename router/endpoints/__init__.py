"""One file a path family: HTTP in, the pipeline, HTTP out."""
