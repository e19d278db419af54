# One recipe for the three services: docker build --build-arg SERVICE=gateway|fix-outcomes|note-generator .
# PYTHON_DIGEST pins the base to one content: --build-arg PYTHON_DIGEST=@sha256:…

ARG PYTHON_TAG=3.12-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ARG SERVICE
ARG UV_VERSION=0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_SYSTEM_CERTS=true
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /app

# A proxy that signs anew: its certificates are believed while the image is built, and are not part of it.
COPY deploy/certificates/ /certificates/
RUN --mount=type=cache,target=/root/.cache/pip \
    if compgen -G '/certificates/*.crt' >/dev/null; then cat /certificates/*.crt > /certificates/all.pem; \
        export PIP_CERT=/certificates/all.pem; fi; \
    python -m venv /uv && /uv/bin/pip install --quiet --disable-pip-version-check "uv==${UV_VERSION}"

# First what changes seldom: the locked dependencies of this service.
COPY pyproject.toml uv.lock ./
COPY shared/pyproject.toml shared/
COPY dev/pyproject.toml dev/
COPY tests/pyproject.toml tests/
COPY services/gateway/pyproject.toml services/gateway/
COPY services/fix-outcomes/pyproject.toml services/fix-outcomes/
COPY services/note-generator/pyproject.toml services/note-generator/
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -e /certificates/all.pem ]; then export SSL_CERT_FILE=/certificates/all.pem; fi; \
    /uv/bin/uv sync --locked --no-dev --no-editable --no-install-workspace --package "${SERVICE}"

COPY shared shared
COPY services services
RUN --mount=type=cache,target=/root/.cache/uv \
    if [ -e /certificates/all.pem ]; then export SSL_CERT_FILE=/certificates/all.pem; fi; \
    /uv/bin/uv sync --locked --no-dev --no-editable --package "${SERVICE}"

# The built page, where there is one. It is the gateway's.
COPY pyproject.toml frontend/dis[t] /dist/
RUN mkdir -p /out/app /out/users && mv .venv /out/app/ && rm /dist/pyproject.toml && \
    if [ "${SERVICE}" = gateway ] && [ -e /dist/index.html ]; then mv /dist /out/app/page; fi

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS run
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="resolutionflow ${SERVICE}" \
      org.opencontainers.image.description="Records what came of an AI-suggested fix, and keeps the notes true to it" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"

# What builds has no business where it runs.
RUN rm -rf /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip /usr/local/bin/pip* \
    && groupadd --gid 10001 service \
    && useradd --uid 10001 --gid service --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin service

COPY --from=build /out/app /app
COPY --from=build --chown=10001:10001 /out/users /users
COPY --chmod=0555 deploy/start deploy/ready.py /app/

ENV SERVICE=${SERVICE} \
    PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_HOST=0.0.0.0 GATEWAY_PORT=8080 \
    FIX_OUTCOMES_HOST=0.0.0.0 FIX_OUTCOMES_PORT=8080 \
    NOTE_GENERATOR_HOST=0.0.0.0 NOTE_GENERATOR_PORT=8080

WORKDIR /app
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "-S", "-E", "/app/ready.py"]
ENTRYPOINT ["/app/start"]
CMD ["run"]
