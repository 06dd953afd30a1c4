//! Downloads: over https, going on where an earlier one stopped, kept only if the checksum is right.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::Error;

/// Times that a broken connection is taken up again.
const TRIES: usize = 4;
/// Without a byte for so long, a connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hears how far a download is: bytes that are here, and of all.
pub type Progress<'a> = &'a dyn Fn(u64, u64);

/// What is wanted from where.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// An https address, or one of this machine.
    pub url: &'a str,
    /// SHA-256 in hexadecimal, or how it begins.
    pub sha256: &'a str,
    /// About; not more than twice as many are taken.
    pub bytes: u64,
}

/// Why one try failed.
enum Trouble {
    /// It may go on.
    Broken(String),
    /// It won't.
    Refused(String),
}

/// Downloads to `path`. Until it is whole and checked, it stands beside as `.part`, and a later call goes on with it.
///
/// # Errors
/// When nothing comes, the server refuses, the checksum is another, or the file can't be written.
pub fn download(wanted: Download<'_>, path: &Path, progress: Progress<'_>) -> Result<(), Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut tries = 0;
    loop {
        match one_try(wanted, &part, progress) {
            Ok(()) => break,
            Err(Trouble::Refused(why)) => return Err(Error::Input(format!("{}: {why}", wanted.url))),
            Err(Trouble::Broken(why)) => {
                tries += 1;
                if tries == TRIES {
                    let so_far = fs::metadata(&part).map_or(0, |data| data.len());
                    return Err(Error::Input(if so_far == 0 {
                        format!("{}: {why}; nothing came: is this machine online?", wanted.url)
                    } else {
                        let kept = so_far as f64 / 1e6;
                        format!(
                            "{}: {why}; {kept:.1} MB are kept: run the command again to go on",
                            wanted.url
                        )
                    }));
                }
            }
        }
    }
    let found = checksum(&part).map_err(|error| unusable(&part, &error))?;
    if !found.starts_with(wanted.sha256) {
        // Going on with wrong bytes would never end well.
        fs::remove_file(&part).map_err(|error| unusable(&part, &error))?;
        return Err(Error::Input(format!(
            "{}: its SHA-256 is {found}, not {}; nothing was kept",
            wanted.url, wanted.sha256
        )));
    }
    fs::rename(&part, path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::Input(format!(
        "{}: {error}; choose a cache that you may write to (XDG_CACHE_HOME)",
        path.display()
    ))
}

/// Appends to the part what it still lacks.
fn one_try(wanted: Download<'_>, part: &Path, progress: Progress<'_>) -> Result<(), Trouble> {
    let refused = |error: std::io::Error| Trouble::Refused(format!("{}: {error}", part.display()));
    let mut file = fs::OpenOptions::new().create(true).append(true).open(part).map_err(refused)?;
    let mut have = file.seek(SeekFrom::End(0)).map_err(refused)?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .https_only(!is_local(wanted.url))
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .build()
        .into();
    let mut request = agent.get(wanted.url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| Trouble::Broken(error.to_string()))?;
    match response.status().as_u16() {
        206 => {}
        200 => {
            // The server begins anew.
            file.set_len(0).map_err(refused)?;
            have = 0;
        }
        // Nothing is left: the part is whole, or wrong, which its checksum will tell.
        416 if have > 0 => return Ok(()),
        status @ (408 | 429 | 500..=599) => {
            return Err(Trouble::Broken(format!("the server answers {status}")));
        }
        status => return Err(Trouble::Refused(format!("the server answers {status}"))),
    }
    let rest = response.body().content_length();
    let all = rest.map_or(wanted.bytes, |rest| have + rest);
    progress(have, all);
    let mut body = response.into_body().into_reader();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let count = body.read(&mut chunk).map_err(|error| Trouble::Broken(error.to_string()))?;
        if count == 0 {
            break;
        }
        have += count as u64;
        if have > 2 * wanted.bytes.max(1 << 20) {
            return Err(Trouble::Refused("the server sends far more than the file has".into()));
        }
        file.write_all(&chunk[..count]).map_err(refused)?;
        progress(have, all);
    }
    match rest {
        Some(_) if have < all => Err(Trouble::Broken(format!("the connection ended after {have} bytes"))),
        _ => Ok(()),
    }
}

/// Without encryption only this machine is trusted.
fn is_local(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host == "127.0.0.1"
}

fn checksum(path: &Path) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    std::io::copy(&mut file, &mut digest)?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;
    use traceur_generator::weights::sha256;

    /// Serves one request for each of `answers`: how many bytes of the rest it sends before it hangs up, and whether
    /// it knows ranges. Gives what was asked for.
    fn serve(
        content: Vec<u8>,
        answers: Vec<(usize, bool)>,
    ) -> (String, thread::JoinHandle<Vec<Option<usize>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let answer = |(most, ranges): (usize, bool)| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = None;
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap().to_lowercase();
                    if let Some(range) = line.strip_prefix("range: bytes=") {
                        asked = range.trim_end_matches('-').parse().ok();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let from = asked.filter(|_| ranges).unwrap_or(0);
                let status = match from {
                    0 => "200 OK",
                    from if from >= content.len() => "416 Range Not Satisfiable",
                    _ => "206 Partial Content",
                };
                let rest = content.get(from..).unwrap_or_default();
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    rest.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&rest[..most.min(rest.len())]).unwrap();
                asked
            };
            answers.into_iter().map(answer).collect()
        });
        (url, server)
    }

    fn content() -> Vec<u8> {
        (0..300_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    /// What came, what was kept of it beside, where each request began.
    type Tried = (Result<Vec<u8>, String>, Option<Vec<u8>>, Vec<Option<usize>>);

    fn try_download(answers: Vec<(usize, bool)>, pin: &str, begun: &[u8]) -> Tried {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.pth");
        let part = folder.path().join("weights.pth.part");
        if !begun.is_empty() {
            fs::write(&part, begun).unwrap();
        }
        let (url, server) = serve(content(), answers);
        let wanted = Download { url: &url, sha256: pin, bytes: 1_200_000 };
        let result = download(wanted, &path, &|_, _| ());
        let asked = server.join().unwrap();
        let result = result.map(|()| fs::read(&path).unwrap()).map_err(|failure| failure.to_string());
        (result, fs::read(part).ok(), asked)
    }

    const WHOLE: (usize, bool) = (usize::MAX, true);

    #[test]
    fn a_download_is_kept_when_its_checksum_is_right() {
        for digits in [8, 64] {
            let (result, part, asked) = try_download(vec![WHOLE], &sha256(&content())[..digits], &[]);
            assert!(result.unwrap() == content());
            assert!(part.is_none() && asked == [None]);
        }
    }

    #[test]
    fn a_broken_connection_is_taken_up_where_it_broke() {
        let pin = sha256(&content());
        let (result, _, asked) = try_download(vec![(500_000, true), (1000, true), WHOLE], &pin, &[]);
        assert!(result.unwrap() == content());
        assert_eq!(asked, [None, Some(500_000), Some(501_000)]);
    }

    #[test]
    fn a_part_of_an_earlier_run_is_gone_on_with() {
        let pin = sha256(&content());
        let (result, _, asked) = try_download(vec![WHOLE], &pin, &content()[..7]);
        assert!(result.unwrap() == content());
        assert_eq!(asked, [Some(7)]);
        let (result, _, asked) = try_download(vec![WHOLE], &pin, &content());
        assert!(result.unwrap() == content());
        assert_eq!(asked, [Some(content().len())]);
    }

    #[test]
    fn a_server_without_ranges_begins_anew() {
        let (result, ..) = try_download(vec![(9, true), (usize::MAX, false)], &sha256(&content()), &[]);
        assert!(result.unwrap() == content());
    }

    #[test]
    fn wrong_bytes_are_thrown_away() {
        let (result, part, _) = try_download(vec![WHOLE], "0123", &[]);
        assert!(result.unwrap_err().contains("not 0123"));
        assert!(part.is_none());
    }

    #[test]
    fn what_came_before_it_broke_for_good_is_kept() {
        let answers = vec![(100, true), (0, true), (0, true), (0, true)];
        let (result, part, _) = try_download(answers, &sha256(&content()), &[]);
        assert!(result.unwrap_err().contains("run the command again"));
        assert_eq!(part.unwrap(), content()[..100]);
    }

    #[test]
    fn only_this_machine_may_do_without_encryption() {
        assert!(is_local("http://localhost:8000/x") && is_local("http://127.0.0.1/x"));
        assert!(!is_local("http://example.org/localhost") && !is_local("http://localhost.example.org/"));
        let folder = tempfile::tempdir().unwrap();
        let wanted = Download { url: "http://example.invalid/x", sha256: "", bytes: 1 };
        let error = download(wanted, &folder.path().join("x"), &|_, _| ()).unwrap_err();
        assert!(error.to_string().to_lowercase().contains("https"), "{error}");
    }
}
