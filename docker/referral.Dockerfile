# The helpline desk: console and the bot's interface. 'migrate' and 'operator add NAME' run in the same image.
# Build from the project's root: docker build -f docker/referral.Dockerfile -t porchlight-referral .
# Pin it for a release: --build-arg PYTHON=python:3.11-slim@sha256:… (docs/administrator/containers.md says how).
ARG PYTHON=python:3.11-slim
FROM ${PYTHON} AS build
COPY requirements.lock /build/
# Everything comes from the lock file with its hashes; nothing is built here but the environment.
RUN python -m venv /opt/porchlight && \
    /opt/porchlight/bin/pip install --no-cache-dir --require-hashes -r /build/requirements.lock

# hadolint ignore=DL3006 - the argument above names a tag or a digest.
FROM ${PYTHON}
RUN useradd --system --uid 10002 --no-create-home --shell /usr/sbin/nologin porchlight
COPY --from=build /opt/porchlight /opt/porchlight
WORKDIR /srv/porchlight
COPY fonts/ fonts/
COPY referral/ referral/
ENV PATH=/opt/porchlight/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2
USER 10002
EXPOSE 8100
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8100/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "referral"]
CMD ["web", "--host", "0.0.0.0", "--port", "8100"]
