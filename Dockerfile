# One image for app, worker and the preparation of both; for arm64 and amd64, nothing in it is of one machine only.
# It runs as a user of its own, holds no secret, and its code cannot be written by what runs.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS environment
# s3: what media in a bucket need (docs/operations.md).
ARG MACAI_EXTRAS=
COPY requirements*.txt /tmp/
RUN python -m venv /opt/macai \
    && /opt/macai/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    -r /tmp/requirements.txt ${MACAI_EXTRAS:+-r "/tmp/requirements-${MACAI_EXTRAS}.txt"}

FROM python:${PYTHON}
# pg_dump, for backups of PostgreSQL 15 or older; a newer server wants its own client here.
ARG POSTGRES_CLIENT=postgresql-client
# hadolint ignore=DL3008  # Debian keeps one version at a time: a pinned one would soon be gone
RUN apt-get update \
    && apt-get install -y --no-install-recommends "${POSTGRES_CLIENT}" \
    && rm -rf /var/lib/apt/lists/* \
    # The group is that of the nginx image's user, who reads the media that the app writes.
    && groupadd --gid 101 web \
    && useradd --uid 10001 --gid web --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin macai \
    && install -d -o macai -g web -m 0750 /data /backups /static
COPY --from=environment /opt/macai /opt/macai
WORKDIR /srv/macai
COPY . .
ENV PATH=/opt/macai/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENV_FILE=/dev/null \
    HOST=0.0.0.0 \
    STATIC_ROOT=/srv/static
# The settings of a build: no secret is needed, and none stays.
RUN DATA_DIR=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf /tmp/build \
    && python -m compileall -q /srv/macai
ENV DEBUG=false \
    DATA_DIR=/data \
    BACKUP_DIR=/backups
USER 10001:101
EXPOSE 5050
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "macai.probe", "app"]
CMD ["gunicorn", "-c", "python:macai.web", "macai.wsgi"]
