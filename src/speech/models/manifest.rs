use std::collections::HashSet;

use serde::Deserialize;

use super::registry::{Artifact, Convert, Model, ModelFile, Pin, Source, Task};

/// Parses and checks a `models.toml`; the error tells the line, or the model and file.
pub(super) fn parse(text: &str) -> Result<Vec<Model>, String> {
    let list: ListToml = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut names = HashSet::new();
    list.model
        .into_iter()
        .map(|model| {
            let name = model.name.clone();
            if !names.insert(name.clone()) {
                return Err(format!("model {name:?} is named twice: remove one"));
            }
            model.check().map_err(|problem| format!("model {name:?}: {problem}"))
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListToml {
    #[serde(default)]
    model: Vec<ModelToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelToml {
    name: String,
    task: Task,
    languages: Vec<String>,
    licence: String,
    licence_from: String,
    #[serde(default)]
    default: bool,
    file: Vec<FileToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    name: String,
    sha256: String,
    size: u64,
    pypi: Option<PypiToml>,
    npm: Option<NpmToml>,
    url: Option<UrlToml>,
    parts: Option<Vec<SourceToml>>,
    convert: Option<ConvertToml>,
    tokenizer: Option<SourceToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceToml {
    pypi: Option<PypiToml>,
    npm: Option<NpmToml>,
    url: Option<UrlToml>,
    sha256: Option<String>,
    size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PypiToml {
    package: String,
    version: String,
    platform: Option<String>,
    file: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NpmToml {
    package: String,
    version: String,
    file: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected an address, or { at = address, file = path inside }")]
enum UrlToml {
    Plain(String),
    Inside { at: String, file: String },
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum ConvertToml {
    Ct2WhisperToGgml,
    MoonshineTokens,
}

impl ModelToml {
    fn check(self) -> Result<Model, String> {
        file_name(&self.name)?;
        let mut names = HashSet::new();
        let mut files = Vec::with_capacity(self.file.len());
        for file in self.file {
            let name = file.name.clone();
            if !names.insert(name.clone()) {
                return Err(format!("file {name:?} is named twice: remove one"));
            }
            files.push(file.check().map_err(|problem| format!("file {name:?}: {problem}"))?);
        }
        if files.is_empty() {
            return Err("it has no [[model.file]]".to_owned());
        }
        Ok(Model {
            name: self.name,
            task: self.task,
            languages: self.languages,
            licence: self.licence,
            licence_from: self.licence_from,
            default: self.default,
            files,
        })
    }
}

impl FileToml {
    fn check(self) -> Result<ModelFile, String> {
        file_name(&self.name)?;
        let pin = pin(self.sha256, self.size)?;
        let whole =
            SourceToml { pypi: self.pypi, npm: self.npm, url: self.url, sha256: None, size: None };
        // One unconverted piece is the finished file, so it needs no pin of its own.
        let inherited = self.convert.is_none().then_some(&pin);
        let parts = match self.parts {
            None => vec![whole.check(inherited)?],
            Some(_) if !whole.is_empty() => {
                return Err("it has parts and also pypi, npm or url: keep one".to_owned());
            }
            Some(parts) if parts.is_empty() => return Err("parts is empty".to_owned()),
            Some(parts) => {
                parts.into_iter().map(|part| part.check(None)).collect::<Result<_, _>>()?
            }
        };
        let convert = match (self.convert, self.tokenizer) {
            (Some(ConvertToml::Ct2WhisperToGgml), Some(tokenizer)) => {
                Some(Convert::Ct2WhisperToGgml { tokenizer: tokenizer.check(None)? })
            }
            (Some(ConvertToml::Ct2WhisperToGgml), None) => {
                return Err("convert = \"ct2-whisper-to-ggml\" needs tokenizer".to_owned());
            }
            (_, Some(_)) => {
                return Err("tokenizer goes with convert = \"ct2-whisper-to-ggml\"".to_owned());
            }
            (Some(ConvertToml::MoonshineTokens), None) => Some(Convert::MoonshineTokens),
            (None, None) => None,
        };
        Ok(ModelFile { name: self.name, pin, parts, convert })
    }
}

impl SourceToml {
    fn is_empty(&self) -> bool {
        self.pypi.is_none() && self.npm.is_none() && self.url.is_none()
    }

    fn check(self, inherited: Option<&Pin>) -> Result<Source, String> {
        let pin = match (self.sha256, self.size, inherited) {
            (Some(sha256), Some(size), _) => pin(sha256, size)?,
            (None, None, Some(pin)) => pin.clone(),
            _ => return Err("a part, or the input of convert, needs sha256 and size".to_owned()),
        };
        let (artifact, member) = match (self.pypi, self.npm, self.url) {
            (Some(PypiToml { package, version, platform, file }), None, None) => {
                argument("package", &package)?;
                argument("version", &version)?;
                platform.as_deref().map_or(Ok(()), |tag| argument("platform", tag))?;
                (Artifact::Pypi { package, version, platform }, Some(file))
            }
            (None, Some(NpmToml { package, version, file }), None) => {
                argument("package", &package)?;
                argument("version", &version)?;
                (Artifact::Npm { package, version }, Some(file))
            }
            (None, None, Some(UrlToml::Plain(url))) => (Artifact::Url(address(url)?), None),
            (None, None, Some(UrlToml::Inside { at, file })) => {
                (Artifact::Url(address(at)?), Some(file))
            }
            _ => return Err("it needs exactly one of pypi, npm, url and parts".to_owned()),
        };
        Ok(Source { artifact, member, pin })
    }
}

fn pin(sha256: String, size: u64) -> Result<Pin, String> {
    let is_digest =
        sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest {
        return Err(format!("sha256 {sha256:?} is not 64 lower-case hex digits"));
    }
    Ok(Pin { sha256, size })
}

/// A name that cannot leave its directory and does not collide with our own dot files.
fn file_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(format!(
            "name {name:?} must be letters, digits, '.', '_' and '-', not starting with '.'"
        ));
    }
    Ok(())
}

/// A word that a package client cannot take for an option, a path or an address.
fn argument(what: &str, word: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-+!".contains(c);
    let scopeless = word.strip_prefix('@').map_or(word, |rest| {
        // `@scope/name` is how npm writes scoped packages.
        rest.split_once('/').filter(|(scope, _)| scope.chars().all(is_plain)).map_or("", |p| p.1)
    });
    let starts_well = scopeless.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !starts_well || !scopeless.chars().all(is_plain) {
        return Err(format!("{what} {word:?} is not a package name or version"));
    }
    Ok(())
}

fn address(url: String) -> Result<String, String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url);
    }
    Err(format!("url {url:?} must begin with https:// or http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(body: &str) -> Result<Vec<Model>, String> {
        parse(&format!(
            "[[model]]\nname = \"m\"\ntask = \"asr\"\nlanguages = [\"en\"]\nlicence = \"MIT\"\n\
             licence_from = \"its LICENSE\"\n[[model.file]]\n{body}"
        ))
    }

    fn sha() -> String {
        "0".repeat(64)
    }

    #[test]
    fn a_plain_file_takes_the_pin_of_the_finished_file() {
        let models =
            file(&format!("name = \"a\"\nsha256 = \"{}\"\nsize = 3\nurl = \"http://h/a\"", sha()))
                .unwrap();
        let part = &models[0].files[0].parts[0];
        assert_eq!(part.pin, Pin { sha256: sha(), size: 3 });
        assert_eq!(part.artifact, Artifact::Url("http://h/a".to_owned()));
    }

    #[test]
    fn a_file_without_a_source_is_refused() {
        let error = file(&format!("name = \"a\"\nsha256 = \"{}\"\nsize = 3", sha())).unwrap_err();
        assert_eq!(
            error,
            "model \"m\": file \"a\": it needs exactly one of pypi, npm, url and parts"
        );
    }

    #[test]
    fn a_part_without_a_pin_is_refused() {
        let error = file(&format!(
            "name = \"a\"\nsha256 = \"{}\"\nsize = 3\nparts = [{{ url = \"http://h/a\" }}]",
            sha()
        ))
        .unwrap_err();
        assert!(error.contains("needs sha256 and size"), "{error}");
    }

    #[test]
    fn a_name_that_leaves_the_directory_is_refused() {
        for name in ["../a", "a/b", "", ".stamp", "a\\\\b"] {
            let error =
                file(&format!("name = \"{name}\"\nsha256 = \"{}\"\nsize = 3", sha())).unwrap_err();
            assert!(error.contains("must be letters"), "{name}: {error}");
        }
    }

    #[test]
    fn a_package_that_reads_like_an_option_is_refused() {
        for package in ["--index-url", "@s/-x", "a b", "git+ssh://x", "@a", ""] {
            let problem = argument("package", package);
            assert!(problem.is_err(), "{package} was taken");
        }
        for package in ["kokoro-js", "@scope/name", "a_b.c"] {
            assert_eq!(argument("package", package), Ok(()));
        }
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line() {
        let error = file("nam = \"a\"").unwrap_err();
        assert!(error.contains("line 8") && error.contains("nam"), "{error}");
    }
}
