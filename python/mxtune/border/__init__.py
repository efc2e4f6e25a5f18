"""The ways between R and Python: `reticulate`, where R hosts Python, and `rpy2`, where Python hosts R."""
