"""Scripts that fit the small models in `validation/artefacts` on open data."""
