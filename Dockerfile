# `mxtune serve` for a model at /model.mxt:
#   docker build -t mxtune .
#   docker run -p 8000:8000 -v "$PWD/pets.mxt:/model.mxt:ro" mxtune
FROM python:3.11-slim-bookworm

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 libquadmath0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home mxtune

WORKDIR /mxtune
COPY pyproject.toml setup.py README.md LICENSE requirements.lock ./
COPY python python
COPY inst/extdata inst/extdata
# the versions that the tests run with, of what it needs; MXNet's metadata asks for an older NumPy
RUN sed 's/ *\\$//; /^ *--hash/d; /^#/d' requirements.lock > /tmp/versions.txt \
    && pip install --no-cache-dir --constraint /tmp/versions.txt '.[serve]' \
    && rm /tmp/versions.txt

USER 10001
WORKDIR /home/mxtune
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/health')"]
ENTRYPOINT ["mxtune", "serve"]
CMD ["/model.mxt", "--host", "0.0.0.0", "--port", "8000"]
