"""A national health data warehouse: every health information system of a country, landed, modelled and judged."""
