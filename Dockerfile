# syntax=docker/dockerfile:1
# clv-sync without root, without secrets and without anything to build with. docs/schedule.md tells
# how it is run; compose.yaml does so with a read-only root.

# Pin the digest of your registry behind the tag: `docker buildx imagetools inspect python:...`.
ARG PYTHON=3.13.9-slim-trixie

FROM python:${PYTHON} AS build
WORKDIR /src
# Every file that pip may use, held against its hash in the lock. This layer stays until that changes.
COPY requirements.lock ./
RUN pip download --quiet --no-cache-dir --no-deps --require-hashes --requirement requirements.lock \
    --dest /wheels
# Of these the ones that a run needs; from nowhere else.
COPY pyproject.toml README.md LICENSE sync.py ./
COPY clv/ clv/
COPY connectors/ connectors/
COPY jobs/ jobs/
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
RUN python -m venv /opt/clv-sync \
    && /opt/clv-sync/bin/pip install --quiet --no-cache-dir '.[serve,report,otel]' \
    && /opt/clv-sync/bin/pip uninstall --quiet --yes pip

FROM python:${PYTHON}
RUN groupadd --gid 10001 clv && useradd --uid 10001 --gid clv --no-create-home clv \
    && install -d -o clv -g clv -m 0700 /data
COPY --from=build /opt/clv-sync /opt/clv-sync
ENV PATH=/opt/clv-sync/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CLV_STORE=/data/store.duckdb
USER 10001:10001
# The store, the key of e-mails' hashes, and what is written for you. Keep it.
VOLUME /data
WORKDIR /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["clv-sync"]
CMD ["--help"]
