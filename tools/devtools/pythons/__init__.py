"""The CPythons that no machine has by itself, fetched or built once a machine: one file a source."""
