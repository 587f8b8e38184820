# The API, the pages, Dagster and the command line. docker-compose.yml runs the database as its own service.
FROM python:3.11-slim

RUN useradd --system --create-home --home-dir /var/lib/caseload --uid 10001 caseload
WORKDIR /srv/caseload
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY practice practice
COPY edi edi
COPY api api
COPY ingest ingest
COPY warehouse warehouse
COPY orchestration orchestration
COPY dashboards dashboards
COPY caseload caseload
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

RUN install -d -o caseload -g caseload -m 700 /var/lib/caseload/data

USER caseload
ENV CASELOAD_ENVIRONMENT=production \
    CASELOAD_HOST=0.0.0.0 \
    CASELOAD_DATA_DIR=/var/lib/caseload/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["python", "-m", "api.supervisor"]
