"""What `torchvin bench` measures; each timer is a file, listed in `registry`."""
