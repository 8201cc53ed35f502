use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
};

use super::{
    Convert, Model, ModelDir, ModelFile, ModelsError, Progress, Source, archive,
    atomic::{self, AtomicFile},
    convert::{self, ConvertError},
    fetch::{Clients, Fetcher},
    registry::{Artifact, Pin},
    stamp::Stamps,
};

/// Fetches models into a [`ModelDir`].
#[derive(Debug, Clone)]
pub struct Puller<'a> {
    dir: &'a ModelDir,
    clients: Clients,
    keep_downloads: bool,
}

/// What a pull did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PullReport {
    /// Files that were there and right.
    pub present: usize,
    /// Files written.
    pub written: usize,
    /// Bytes that came over the network.
    pub transferred: u64,
}

impl<'a> Puller<'a> {
    /// Into `dir`, with the package clients of this machine.
    pub fn new(dir: &'a ModelDir) -> Self {
        Self { dir, clients: Clients::default(), keep_downloads: false }
    }

    /// With other package clients.
    #[must_use]
    pub fn with_clients(self, clients: Clients) -> Self {
        Self { clients, ..self }
    }

    /// Whether downloaded packages stay after their model is whole.
    #[must_use]
    pub fn keep_downloads(self, keep_downloads: bool) -> Self {
        Self { keep_downloads, ..self }
    }

    /// Fetches what is missing or wrong of `models`, one after the other.
    ///
    /// Each file appears whole and checked under its name, or not at all. A second pull of the
    /// same directory waits for the first.
    ///
    /// # Errors
    /// The first failure; files that were done before it stay, and so does what was downloaded.
    pub fn pull(
        &self,
        models: &[&Model],
        progress: &mut dyn Progress,
    ) -> Result<PullReport, ModelsError> {
        let mut report = PullReport::default();
        if self.missing(models)?.is_empty() {
            report.present = models.iter().map(|model| model.files.len()).sum();
            return Ok(report);
        }
        let downloads = self.dir.downloads();
        fs::create_dir_all(&downloads).map_err(ModelsError::io(&downloads))?;
        let _lock = self.lock(progress)?;
        let fetcher = Fetcher::new(&self.clients, downloads.clone());
        for (number, model) in models.iter().enumerate() {
            // Only now: the pull that held the lock may have fetched it.
            let missing = self.missing(&[model])?;
            report.present += model.files.len() - missing.len();
            let directory = self.dir.model(&model.name);
            fs::create_dir_all(&directory).map_err(ModelsError::io(&directory))?;
            atomic::sweep(&directory);
            for file in missing {
                let mut making = Making { dir: self.dir, fetcher: &fetcher, model, file, progress };
                report.transferred += making.make()?;
                report.written += 1;
            }
            if !self.keep_downloads {
                self.clean(&fetcher, model, &models[number + 1..]);
            }
        }
        if !self.keep_downloads {
            // Not when something else lies in it.
            let _ = fs::remove_dir(&downloads);
        }
        Ok(report)
    }

    fn missing<'m>(&self, models: &[&'m Model]) -> Result<Vec<&'m ModelFile>, ModelsError> {
        let mut missing = Vec::new();
        for model in models {
            for file in &model.files {
                if !self.dir.is_ready(model, file)? {
                    missing.push(file);
                }
            }
        }
        Ok(missing)
    }

    fn lock(&self, progress: &mut dyn Progress) -> Result<File, ModelsError> {
        let path = self.dir.root().join(".lock");
        let lock = File::create(&path).map_err(ModelsError::io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.note("waiting for another pull to end");
                lock.lock().map_err(ModelsError::io(&path))?;
            }
            Err(TryLockError::Error(error)) => return Err(ModelsError::io(&path)(error)),
        }
        Ok(lock)
    }

    fn clean(&self, fetcher: &Fetcher, model: &Model, still_to_come: &[&Model]) {
        for artifact in model.files.iter().flat_map(artifacts) {
            let is_needed = still_to_come
                .iter()
                .flat_map(|model| &model.files)
                .flat_map(artifacts)
                .any(|other| other == artifact);
            if !is_needed {
                fetcher.discard(artifact);
            }
        }
    }
}

/// One file being made.
struct Making<'a> {
    dir: &'a ModelDir,
    fetcher: &'a Fetcher,
    model: &'a Model,
    file: &'a ModelFile,
    progress: &'a mut dyn Progress,
}

impl Making<'_> {
    /// Makes it; how many bytes came over the network.
    fn make(&mut self) -> Result<u64, ModelsError> {
        let mut transferred = 0;
        let mut may_blame_old_download = true;
        loop {
            let all_fresh = self.fetch_all(&mut transferred)?;
            let error = match self.assemble() {
                Ok(()) => return Ok(transferred),
                Err(error) => error,
            };
            if !matches!(error, ModelsError::Checksum { .. } | ModelsError::Archive { .. }) {
                return Err(error);
            }
            artifacts(self.file).for_each(|artifact| self.fetcher.discard(artifact));
            if all_fresh || !may_blame_old_download {
                return Err(error);
            }
            may_blame_old_download = false;
            self.progress.note("an earlier download was damaged: fetching it anew");
        }
    }

    fn fetch_all(&mut self, transferred: &mut u64) -> Result<bool, ModelsError> {
        let mut all_fresh = true;
        for artifact in artifacts(self.file) {
            let fetched = self.fetcher.fetch(&self.model.name, artifact, self.progress)?;
            all_fresh &= fetched.fresh;
            *transferred += fetched.transferred;
        }
        Ok(all_fresh)
    }

    fn assemble(&mut self) -> Result<(), ModelsError> {
        let directory = self.dir.model(&self.model.name);
        let target = directory.join(&self.file.name);
        let mut out = AtomicFile::create(&target)?;
        match &self.file.convert {
            None => {
                for part in &self.file.parts {
                    self.copy(part, &mut out)?;
                }
            }
            Some(convert) => self.convert(convert, &mut out)?,
        }
        let pin = out.pin();
        if pin != self.file.pin && self.file.convert.is_some() {
            return Err(ModelsError::Conversion {
                model: self.model.name.clone(),
                file: self.file.name.clone(),
                expected: Box::new(self.file.pin.clone()),
                actual: Box::new(pin),
            });
        }
        if pin != self.file.pin {
            let origin = self.file.parts.first().map(|part| part.artifact.to_string());
            return Err(self.checksum(
                self.file.name.clone(),
                origin.unwrap_or_default(),
                &self.file.pin,
                pin,
            ));
        }
        out.commit()?;
        let metadata = fs::metadata(&target).map_err(ModelsError::io(&target))?;
        let mut stamps = Stamps::load(&directory);
        stamps.note(&self.file.name, &pin.sha256, &metadata);
        stamps.save(&directory)
    }

    fn convert(&mut self, convert: &Convert, out: &mut AtomicFile) -> Result<(), ModelsError> {
        let mut input = Vec::new();
        for part in &self.file.parts {
            self.copy(part, &mut input)?;
        }
        let done = match convert {
            Convert::MoonshineTokens => convert::tokens_txt(&input, out),
            Convert::Ct2WhisperToGgml { tokenizer } => {
                let mut json = Vec::new();
                self.copy(tokenizer, &mut json)?;
                convert::ggml(&input, &json, out)
            }
        };
        done.map_err(|error| match error {
            ConvertError::Write(error) => self.write_error(error),
            ConvertError::Input(problem) => ModelsError::Convert {
                model: self.model.name.clone(),
                file: self.file.name.clone(),
                problem,
            },
        })
    }

    /// Copies a piece to `out` and checks it; a piece too long is cut one byte after its end.
    fn copy(&self, part: &Source, out: &mut dyn Write) -> Result<(), ModelsError> {
        let path = self.fetcher.path(&part.artifact);
        let limit = part.pin.size.saturating_add(1);
        let mut tee = Tee { out, pin: atomic::Hashing::default(), broken: None };
        let copied = match &part.member {
            Some(member) => archive::read_member(&path, member, |reader| {
                io::copy(&mut reader.take(limit), &mut tee)
            }),
            None => {
                let file = File::open(&path).map_err(ModelsError::io(&path))?;
                Ok(io::copy(&mut file.take(limit), &mut tee))
            }
        };
        if let Some(error) = tee.broken {
            return Err(self.write_error(error));
        }
        let archive_error = |problem| ModelsError::Archive {
            model: self.model.name.clone(),
            archive: part.artifact.to_string(),
            problem,
        };
        copied
            .map_err(archive_error)?
            .map_err(|error| archive_error(format!("cannot be read to its end: {error}")))?;
        let pin = tee.pin.pin();
        if pin == part.pin {
            return Ok(());
        }
        let what = part.member.clone().unwrap_or_else(|| self.file.name.clone());
        Err(self.checksum(what, part.artifact.to_string(), &part.pin, pin))
    }

    fn write_error(&self, error: io::Error) -> ModelsError {
        ModelsError::io(self.dir.model(&self.model.name).join(&self.file.name))(error)
    }

    fn checksum(&self, what: String, origin: String, expected: &Pin, actual: Pin) -> ModelsError {
        ModelsError::Checksum {
            model: self.model.name.clone(),
            what,
            origin,
            expected: Box::new(expected.clone()),
            actual: Box::new(actual),
        }
    }
}

/// Writes through, hashing, and remembers a failure to write apart from one to read.
struct Tee<'a> {
    out: &'a mut dyn Write,
    pin: atomic::Hashing,
    broken: Option<io::Error>,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.out.write_all(bytes) {
            Ok(()) => {
                self.pin.update(bytes);
                Ok(bytes.len())
            }
            Err(error) => {
                let kind = error.kind();
                self.broken = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// All that must be downloaded for a file.
fn artifacts(file: &ModelFile) -> impl Iterator<Item = &Artifact> {
    let tokenizer = match &file.convert {
        Some(Convert::Ct2WhisperToGgml { tokenizer }) => Some(tokenizer),
        _ => None,
    };
    file.parts.iter().chain(tokenizer).map(|source| &source.artifact)
}
