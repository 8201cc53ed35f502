use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

use flate2::read::MultiGzDecoder;

/// Hands a reader of the file `member` of a wheel, zip or gzipped tar to `consume`.
///
/// The outer result is the archive's: what is wrong with it, for a message.
pub(super) fn read_member<T>(
    archive: &Path,
    member: &str,
    consume: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let mut file = BufReader::new(File::open(archive).map_err(unreadable)?);
    let mut magic = [0; 2];
    let known = file.read_exact(&mut magic).and_then(|()| file.rewind());
    match (known, magic) {
        (Ok(()), [b'P', b'K']) => from_zip(file, member, consume),
        (Ok(()), [0x1f, 0x8b]) => from_tar(file, member, consume),
        _ => Err("is neither a zip (wheel) nor a gzipped tar".to_owned()),
    }
}

fn from_zip<T>(
    file: BufReader<File>,
    member: &str,
    consume: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, String> {
    let mut zip = zip::ZipArchive::new(file).map_err(|error| format!("is a bad zip: {error}"))?;
    let mut entry = match zip.by_name(member) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Err(has_no(member)),
        Err(error) => return Err(format!("{member} in it cannot be read: {error}")),
    };
    Ok(consume(&mut entry))
}

fn from_tar<T>(
    file: BufReader<File>,
    member: &str,
    consume: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, String> {
    let bad = |error: io::Error| format!("is a bad tar: {error}");
    let mut tar = tar::Archive::new(MultiGzDecoder::new(file));
    for entry in tar.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        let path = entry.path_bytes();
        if path.strip_prefix(b"./").unwrap_or(&path) == member.as_bytes() {
            return Ok(consume(&mut entry));
        }
    }
    Err(has_no(member))
}

fn has_no(member: &str) -> String {
    format!(
        "has no file {member}: models.toml and the package do not agree, so the version or the \
         path in models.toml is wrong, or your mirror serves another package"
    )
}
