# The model: trained while the image is built, so that a container answers within seconds of its start.
# Build from the project's root: docker build -f docker/nlu.Dockerfile -t porchlight-nlu .
# Pin it for a release: --build-arg PYTHON=python:3.10-slim@sha256:… (docs/administrator/containers.md says how).
ARG PYTHON=python:3.10-slim
FROM ${PYTHON} AS build
COPY nlu/requirements.lock /build/
# Some of Rasa's requirements come as source only; they are pure Python and need no compiler.
RUN python -m venv /opt/nlu && \
    /opt/nlu/bin/pip install --no-cache-dir --require-hashes --no-deps -r /build/requirements.lock
WORKDIR /srv/porchlight
COPY nlu/ nlu/
COPY flows/intents.yaml flows/intents.yaml
RUN /opt/nlu/bin/python -m nlu.train

# hadolint ignore=DL3006 - the argument above names a tag or a digest.
FROM ${PYTHON}
RUN useradd --system --uid 10003 --no-create-home --shell /usr/sbin/nologin porchlight
COPY --from=build /opt/nlu /opt/nlu
COPY --from=build /srv/porchlight /srv/porchlight
WORKDIR /srv/porchlight
ENV PATH=/opt/nlu/bin:$PATH \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONWARNINGS=ignore \
    RASA_TELEMETRY_ENABLED=false \
    SQLALCHEMY_SILENCE_UBER_WARNING=1 \
    TF_CPP_MIN_LOG_LEVEL=3 \
    TF_NUM_INTRAOP_THREADS=1 \
    TF_NUM_INTEROP_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    OMP_NUM_THREADS=2 \
    MALLOC_ARENA_MAX=2
USER 10003
EXPOSE 5005
# Starting takes about 20 seconds.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5005/status', timeout=4)"]
# Not nlu.serve, which listens on the loopback address alone: here the network of compose.yaml keeps others out,
# and the image holds one model, so that Rasa cannot fall back to another.
ENTRYPOINT ["python", "-m", "rasa", "run", "--enable-api", "--quiet", "--model", "nlu/models"]
CMD ["--interface", "0.0.0.0", "--port", "5005"]
