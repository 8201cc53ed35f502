//! Pulling models: from a server on the loopback interface and from stand-ins for pip and npm.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "models/scene.rs"]
mod scene;

use std::fs;

use hotline::speech::models::{Clients, FileState, ModelDir, ModelsError, PullReport, Registry};
use scene::{Answer, Scene, Server, file, noise, part, sha, tarball, wheel};

#[test]
fn a_pulled_file_is_ready_and_not_fetched_again() {
    let content = noise(100_000);
    let server = Server::start(content.clone(), vec![]);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    let first = scene.pull().unwrap();
    assert_eq!(first, PullReport { present: 0, written: 1, transferred: 100_000 });
    assert_eq!(scene.read("a.bin"), content);
    assert_eq!(scene.state(), FileState::Ready);
    let second = scene.pull().unwrap();
    assert_eq!(second, PullReport { present: 1, written: 0, transferred: 0 });
    assert_eq!(server.ranges().len(), 1);
    assert!(!scene.dir().root().join(".downloads").exists());
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let content = noise(300_000);
    let server = Server::start(content.clone(), vec![Answer::CutAfter(120_000)]);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    scene.pull().unwrap();
    assert_eq!(scene.read("a.bin"), content);
    assert_eq!(server.ranges(), [None, Some(120_000)]);
}

#[test]
fn the_next_run_goes_on_where_the_last_one_gave_up() {
    let content = noise(300_000);
    let mut script = vec![Answer::CutAfter(120_000)];
    script.extend([Answer::Status(503); 5]);
    let server = Server::start(content.clone(), script);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    let error = scene.pull().unwrap_err();
    assert!(matches!(error, ModelsError::Download { .. }), "{error}");
    assert_eq!(scene.left(), [""; 0]);
    let asked = server.ranges().len();
    let report = scene.pull().unwrap();
    assert_eq!(server.ranges()[asked..], [Some(120_000)]);
    assert_eq!(report.transferred, 180_000);
    assert_eq!(scene.read("a.bin"), content);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let content = noise(300_000);
    let script = vec![Answer::CutAfter(120_000), Answer::IgnoreRange];
    let server = Server::start(content.clone(), script);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    scene.pull().unwrap();
    assert_eq!(scene.read("a.bin"), content);
}

#[test]
fn a_wrong_checksum_leaves_nothing_and_tells_both() {
    let (expected, actual) = (noise(1000), vec![7; 1000]);
    let server = Server::start(actual.clone(), vec![]);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &expected));
    let error = scene.pull().unwrap_err().to_string();
    assert!(error.contains(&sha(&expected)) && error.contains(&sha(&actual)), "{error}");
    assert_eq!(scene.left(), [""; 0]);
    let downloads = scene.dir().root().join(".downloads");
    assert_eq!(fs::read_dir(downloads).unwrap().count(), 0);
}

#[test]
fn a_wrong_checksum_spares_the_file_that_was_there() {
    let server = Server::start(vec![7; 1000], vec![]);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &noise(1000)));
    fs::create_dir_all(scene.dir().model("m")).unwrap();
    fs::write(scene.dir().model("m").join("a.bin"), "an older version").unwrap();
    scene.pull().unwrap_err();
    assert_eq!(scene.read("a.bin"), b"an older version");
}

#[test]
fn a_damaged_download_of_an_earlier_run_is_fetched_anew() {
    let content = noise(300_000);
    let mut script = vec![Answer::CutAfter(120_000)];
    script.extend([Answer::Status(503); 5]);
    let server = Server::start(content.clone(), script);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    scene.pull().unwrap_err();
    let downloads = scene.dir().root().join(".downloads");
    let part = fs::read_dir(downloads)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "part"))
        .unwrap();
    fs::write(part, vec![0; 120_000]).unwrap();
    scene.pull().unwrap();
    assert_eq!(scene.read("a.bin"), content);
}

#[test]
fn a_refusal_is_told_at_once_without_secrets() {
    let server = Server::start(vec![], vec![Answer::Status(403); 9]);
    let url = server.url.replace("http://", "http://user:word@");
    let scene = Scene::new(&file(&format!("url = \"{url}?token=t\""), b"x"));
    let error = scene.pull().unwrap_err().to_string();
    assert!(error.contains("403"), "{error}");
    assert!(!error.contains("word") && !error.contains("token"), "{error}");
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn parts_are_joined_in_their_order() {
    let (one, two) = (noise(70_000), vec![9; 5]);
    let servers = [
        Server::start(wheel("p/part", &one), vec![]),
        Server::start(tarball("p/part", &two), vec![]),
    ];
    let whole = [one.clone(), two.clone()].concat();
    let from = |server: &Server| format!("url = {{ at = \"{}\", file = \"p/part\" }}", server.url);
    let parts = [part(&from(&servers[0]), &one), part(&from(&servers[1]), &two)].join(", ");
    let scene = Scene::new(&file(&format!("parts = [{parts}]"), &whole));
    scene.pull().unwrap();
    assert_eq!(scene.read("a.bin"), whole);
}

#[test]
fn a_file_that_is_not_in_the_archive_is_named() {
    for archive in [wheel("p/other", b"x"), tarball("p/other", b"x")] {
        let server = Server::start(archive, vec![]);
        let source = format!("url = {{ at = \"{}\", file = \"p/part\" }}", server.url);
        let scene = Scene::new(&file(&source, b"x"));
        let error = scene.pull().unwrap_err();
        assert!(matches!(error, ModelsError::Archive { .. }), "{error}");
        assert!(error.to_string().contains("has no file p/part"), "{error}");
        assert_eq!(scene.left(), [""; 0]);
    }
}

#[test]
fn what_is_no_archive_is_told() {
    let server = Server::start(b"<html>log in first</html>".to_vec(), vec![]);
    let source = format!("url = {{ at = \"{}\", file = \"p\" }}", server.url);
    let error = Scene::new(&file(&source, b"x")).pull().unwrap_err().to_string();
    assert!(error.contains("neither a zip (wheel) nor a gzipped tar"), "{error}");
}

#[test]
fn a_converted_file_is_made_from_its_checked_input() {
    let (tokenizer, tokens) = (b"\x01a\x02bc".to_vec(), b"YQ== 0\nYmM= 1\n".to_vec());
    let server = Server::start(tokenizer.clone(), vec![]);
    let part = part(&format!("url = \"{}\"", server.url), &tokenizer);
    let scene =
        Scene::new(&file(&format!("parts = [{part}]\nconvert = \"moonshine-tokens\""), &tokens));
    scene.pull().unwrap();
    assert_eq!(scene.read("a.bin"), tokens);
}

#[test]
fn two_pulls_at_once_fetch_once() {
    let content = noise(500_000);
    let server = Server::start(content.clone(), vec![]);
    let scene = Scene::new(&file(&format!("url = \"{}\"", server.url), &content));
    let reports = std::thread::scope(|scope| {
        [0, 1].map(|_| scope.spawn(|| scene.pull().unwrap())).map(|pull| pull.join().unwrap())
    });
    assert_eq!(reports.iter().map(|report| report.written).sum::<usize>(), 1);
    assert_eq!(server.ranges().len(), 1);
    assert_eq!(scene.read("a.bin"), content);
}

#[test]
fn a_missing_package_client_is_named_with_the_package() {
    let pypi = "pypi = { package = \"a-model\", version = \"1.0\", file = \"a\" }";
    let scene = Scene::new(&file(pypi, b"x"));
    let pip = vec![vec!["no-such-pip-here".to_owned()]];
    let error = scene.pull_with(Clients { pip, ..Clients::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model m: package a-model==1.0 is fetched with pip, which is not installed \
         (tried no-such-pip-here): install it and run the same command again"
    );
}

/// Finds the argument after `--dest` and puts the wheel there, as pip's `download` does.
const PIP: &str = r#"
case "$1" in --version) echo "pip 24.0 from here (python 3.11)"; exit 0;; esac
while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done
mkdir -p "$dest" && cp "$WHEEL" "$dest/a_model-1.0-py3-none-any.whl"
"#;

#[test]
fn an_old_pip_downloads_the_wheel_itself() {
    let pypi = "pypi = { package = \"a-model\", version = \"1.0\", file = \"a/w\" }";
    let scene = Scene::new(&file(pypi, b"weights"));
    let path = scene.temp.path().join("a.whl");
    fs::write(&path, wheel("a/w", b"weights")).unwrap();
    let pip = scene.client("pip", &PIP.replace("$WHEEL", path.to_str().unwrap()));
    scene.pull_with(Clients { pip, ..Clients::default() }).unwrap();
    assert_eq!(scene.read("a.bin"), b"weights");
}

#[test]
fn a_new_pip_is_asked_for_the_address() {
    let archive = wheel("a/w", b"weights");
    let server = Server::start(archive.clone(), vec![]);
    let pypi = "pypi = { package = \"a-model\", version = \"1.0\", file = \"a/w\" }";
    let scene = Scene::new(&file(pypi, b"weights"));
    let script = format!(
        "case \"$1\" in --version) echo 'pip 26.0 from here';; install) echo '{{\"install\": \
         [{{\"download_info\": {{\"url\": \"{}\", \"archive_info\": {{\"hashes\": {{\"sha256\": \
         \"{}\"}}}}}}}}]}}';; *) exit 3;; esac",
        server.url,
        sha(&archive)
    );
    let pip = scene.client("pip", &script);
    scene.pull_with(Clients { pip, ..Clients::default() }).unwrap();
    assert_eq!(scene.read("a.bin"), b"weights");
    assert_eq!(server.ranges(), [None]);
}

#[test]
fn what_pip_complains_of_is_told() {
    let pypi = "pypi = { package = \"a-model\", version = \"1.0\", file = \"a\" }";
    let scene = Scene::new(&file(pypi, b"x"));
    let pip = scene.client(
        "pip",
        "case $1 in --version) echo 'pip 24.0 from here';; \
         *) echo 'No matching distribution found for a-model==1.0' >&2; exit 1;; esac",
    );
    let error = scene.pull_with(Clients { pip, ..Clients::default() }).unwrap_err().to_string();
    assert!(error.contains("No matching distribution found for a-model==1.0"), "{error}");
    assert!(error.contains("pip config list"), "{error}");
}

#[test]
fn a_disk_that_pip_filled_is_told_as_such() {
    let pypi = "pypi = { package = \"a-model\", version = \"1.0\", file = \"a\" }";
    let scene = Scene::new(&file(pypi, b"x"));
    let pip = scene.client(
        "pip",
        "case $1 in --version) echo 'pip 24.0 from here';; \
         *) echo \"OSError(28, 'No space left on device')\" >&2; exit 2;; esac",
    );
    let error = scene.pull_with(Clients { pip, ..Clients::default() }).unwrap_err();
    assert!(matches!(error, ModelsError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("set HOTLINE_MODELS"), "{error}");
}

#[test]
fn npm_packs_the_tarball_when_the_registry_is_a_mirror() {
    let npm_source = "npm = { package = \"@s/a\", version = \"1.0.0\", file = \"package/w\" }";
    let scene = Scene::new(&file(npm_source, b"weights"));
    let path = scene.temp.path().join("a.tgz");
    fs::write(&path, tarball("package/w", b"weights")).unwrap();
    let script = format!(
        "case \"$1\" in --version) echo 11.0.0;; view) echo '{{\"dist.tarball\": \
         \"https://upstream.invalid/a.tgz\", \"dist.integrity\": \"sha512-x\"}}';; \
         config) echo https://mirror.invalid/;; pack) while [ $# -gt 1 ]; do shift; done; \
         cp '{}' \"$1/s-a-1.0.0.tgz\";; esac",
        path.display()
    );
    let npm = scene.client("npm", &script);
    scene.pull_with(Clients { npm, ..Clients::default() }).unwrap();
    assert_eq!(scene.read("a.bin"), b"weights");
}

#[test]
fn the_built_in_list_is_sound() {
    let registry = Registry::builtin().unwrap();
    let defaults: Vec<&str> =
        registry.select(&[]).unwrap().iter().map(|model| model.name.as_str()).collect();
    assert_eq!(defaults, ["moonshine-tiny-en", "whisper-base", "hibari-en", "kokoro-82m"]);
    let error = registry.select(&["nope".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("moonshine-tiny-en, whisper-base"), "{error}");
}

#[test]
fn models_on_this_machine_are_what_the_list_says() {
    let dir = ModelDir::default_location();
    let registry = Registry::builtin().unwrap();
    for model in registry.models() {
        if !dir.model(&model.name).is_dir() {
            eprintln!("skipped: {} is not in {}", model.name, dir.root().display());
            continue;
        }
        for file in &model.files {
            assert_eq!(dir.verify(model, file).unwrap(), FileState::Ready, "{}", file.name);
        }
    }
}
