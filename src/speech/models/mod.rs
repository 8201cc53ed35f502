//! The model registry: what `models.toml` names, where it is kept, how it is fetched.
