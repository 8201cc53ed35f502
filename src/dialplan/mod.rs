//! Floor 3: what an author writes. The YAML model, its loader and its linter; files only.
