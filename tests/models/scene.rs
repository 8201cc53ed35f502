//! A web server, a models directory, archives and stand-ins for package clients.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use hotline::speech::models::{
    Clients, FileState, ModelDir, ModelsError, NoProgress, PullReport, Puller, Registry,
};
use sha2::{Digest, Sha256};

/// One answer of the server in its turn.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// The file, or the range asked for.
    Whole,
    /// The right length in the header, then only so many bytes.
    CutAfter(usize),
    /// The whole file whatever range is asked for.
    IgnoreRange,
    /// A bare status.
    Status(u16),
}

/// A web server for one file; after its script it answers [`Answer::Whole`].
pub(crate) struct Server {
    pub(crate) url: String,
    ranges: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    pub(crate) fn start(content: Vec<u8>, script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = ranges.clone();
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming().flatten() {
                let answer = script.next().unwrap_or(Answer::Whole);
                let _ = serve(stream, &content, answer, &seen);
            }
        });
        Self { url, ranges }
    }

    /// Where each request began: `None` when it asked for no range.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.ranges.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    content: &[u8],
    answer: Answer,
    seen: &Mutex<Vec<Option<usize>>>,
) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(from) = line.strip_prefix("range: bytes=") {
            range = from.trim_end_matches('-').parse().ok();
        }
        if line.is_empty() {
            break;
        }
    }
    seen.lock().unwrap().push(range);
    let (start, cut) = match answer {
        Answer::Whole => (range.unwrap_or(0), usize::MAX),
        Answer::CutAfter(cut) => (range.unwrap_or(0), cut),
        Answer::IgnoreRange => (0, usize::MAX),
        Answer::Status(status) => {
            return write!(
                stream,
                "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
    };
    let body = content.get(start..).unwrap_or_default();
    let partial = range.is_some() && !matches!(answer, Answer::IgnoreRange);
    write!(stream, "HTTP/1.1 {} x\r\n", if partial { 206 } else { 200 })?;
    if partial {
        let (last, all) = (content.len() - 1, content.len());
        write!(stream, "Content-Range: bytes {start}-{last}/{all}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\nETag: \"1\"\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body[..cut.min(body.len())])
}

/// A models directory, and the list of one model `m` with the given files.
pub(crate) struct Scene {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) registry: Registry,
}

impl Scene {
    pub(crate) fn new(files: &str) -> Self {
        let list = format!(
            "[[model]]\nname = \"m\"\ntask = \"asr\"\nlanguages = [\"en\"]\nlicence = \"MIT\"\n\
             licence_from = \"the test\"\ndefault = true\n{files}"
        );
        let registry = Registry::parse(&list, "test list").unwrap();
        Self { temp: tempfile::tempdir().unwrap(), registry }
    }

    pub(crate) fn dir(&self) -> ModelDir {
        ModelDir::new(self.temp.path().join("models"))
    }

    pub(crate) fn pull(&self) -> Result<PullReport, ModelsError> {
        self.pull_with(Clients::default())
    }

    pub(crate) fn pull_with(&self, clients: Clients) -> Result<PullReport, ModelsError> {
        let clients = Clients { backoff: Duration::ZERO, ..clients };
        let models = self.registry.select(&[]).unwrap();
        Puller::new(&self.dir()).with_clients(clients).pull(&models, &mut NoProgress)
    }

    pub(crate) fn state(&self) -> FileState {
        let model = &self.registry.models()[0];
        self.dir().state(model, &model.files[0])
    }

    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.dir().file("m", file).unwrap()).unwrap()
    }

    /// Everything in the model's directory but the stamps.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir().model("m"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".stamps.json")
            .collect();
        names.sort();
        names
    }

    /// An executable stand-in for a package client.
    pub(crate) fn client(&self, name: &str, script: &str) -> Vec<Vec<String>> {
        let path = self.temp.path().join(name);
        fs::write(&path, script).unwrap();
        vec![vec!["sh".to_owned(), path.to_str().unwrap().to_owned()]]
    }
}

pub(crate) fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn pins(bytes: &[u8]) -> String {
    format!("sha256 = \"{}\"\nsize = {}", sha(bytes), bytes.len())
}

pub(crate) fn part(source: &str, bytes: &[u8]) -> String {
    format!("{{ {source}, sha256 = \"{}\", size = {} }}", sha(bytes), bytes.len())
}

pub(crate) fn file(source: &str, bytes: &[u8]) -> String {
    format!("[[model.file]]\nname = \"a.bin\"\n{}\n{source}\n", pins(bytes))
}

/// Bytes that no two offsets share a long run of.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    (0..count as u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .take(count)
        .collect()
}

pub(crate) fn wheel(member: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

pub(crate) fn tarball(member: &str, content: &[u8]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, member, content).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}
