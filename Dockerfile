# What is installed comes from a stage of its own, so that the sources and pip's leftovers stay out of the image.
FROM python:3.12-slim AS installed

WORKDIR /build
RUN python -m venv /opt/venv
COPY pyproject.toml README.md LICENSE ./
COPY hypercore hypercore
COPY exporter exporter
RUN /opt/venv/bin/pip install --no-cache-dir '.[serve]'

FROM python:3.12-slim

RUN useradd --create-home --uid 8192 hypercore-scale-tests
WORKDIR /home/hypercore-scale-tests

COPY --from=installed /opt/venv /opt/venv
COPY LICENSE pytest.ini conftest.py ./
COPY benchmarks benchmarks

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HYPERCORE_SCALE_METRICS_PORT=8080 \
    HYPERCORE_SCALE_METRICS_HOST=0.0.0.0 \
    HYPERCORE_SCALE_STORAGE_PATH=/home/hypercore-scale-tests/corestore

# By number, so that a cluster can tell without the image that it is not root.
USER 8192

# A volume that is mounted here takes over this directory's owner.
RUN mkdir "$HYPERCORE_SCALE_STORAGE_PATH"

EXPOSE 8080
# http.client rather than urllib.request, which would ask a proxy from the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=1 \
    CMD ["python", "-c", "import http.client, os; connection = http.client.HTTPConnection('127.0.0.1', int(os.environ['HYPERCORE_SCALE_METRICS_PORT']), timeout=4); connection.request('GET', '/health'); raise SystemExit(connection.getresponse().status != 200)"]

ENTRYPOINT ["python", "-m", "exporter"]
