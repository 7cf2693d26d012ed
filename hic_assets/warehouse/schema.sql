-- The schemas of the warehouse. Idempotent. Tables are made by the package that owns them (landing, dbt).
-- Nothing is granted to PUBLIC: who may read what is granted to named roles, elsewhere.

create schema if not exists raw;             -- tables as the sources have them, every column text
create schema if not exists raw_partitions;  -- the partitions of raw tables, out of the analyst's sight
create schema if not exists staging;         -- dbt: typed, renamed, one model a source table
create schema if not exists intermediate;    -- dbt: conformed, joined
create schema if not exists dwh;             -- dbt: dimensions and facts
create schema if not exists reporting;       -- dbt: what dashboards and analysts read
create schema if not exists ops;             -- ledger of loads, quarantine
create schema if not exists snapshots;       -- dbt: slowly changing registries
create schema if not exists identity;        -- who patients are: the only marts with names in them

revoke all on schema raw, raw_partitions, staging, intermediate, dwh, reporting, ops, snapshots, identity from public;
