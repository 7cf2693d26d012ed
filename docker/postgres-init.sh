#!/usr/bin/env bash
# Run once by the PostgreSQL image, on an empty data volume: two databases, each with an owner of its own, so that
# the webserver and the daemon never hold a password of the warehouse. psql reads the passwords from its environment;
# they stand on no command line.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv warehouse_password HIC_PG_PASSWORD
\getenv dagster_password HIC_DAGSTER_PG_PASSWORD
create role warehouse login password :'warehouse_password';
create role dagster login password :'dagster_password';
create database hic owner warehouse template template0 encoding 'UTF8';
create database dagster owner dagster template template0 encoding 'UTF8';
revoke all on database hic, dagster from public;
SQL
