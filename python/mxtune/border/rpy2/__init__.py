"""R inside this Python process, by rpy2; `mxtune.rhost` is its public face."""
