"""From any export to canonical tables: readers, one mapping per source, the import."""
