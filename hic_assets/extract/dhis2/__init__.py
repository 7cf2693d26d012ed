"""The DHIS2 Web API (2.38 to 2.43) as a source: metadata, aggregate values, completeness, changes."""
