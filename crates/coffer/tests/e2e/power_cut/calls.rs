//! What a server has asked of its files, as a tracer has noted it: every write with its bytes, and every sync.

use std::path::Path;

use crate::tracer::Noted;

/// How `strace` is to note calls: of each thread apart, so that no two calls lie in each other, with the time to the nanosecond
/// and every byte written.
pub(super) const OPTIONS: &[&str] = &[
    "-ff",
    "-y",
    "-s0",
    "-ewrite=all",
    "--absolute-timestamps=format:unix,precision:ns",
    "--syscall-times=ns",
];

/// A call that has ended. Times are nanoseconds since 1970.
#[derive(Debug)]
pub(super) struct Call {
    /// Which of the files.
    pub(super) file: usize,
    pub(super) begun: u64,
    pub(super) ended: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    /// The file has this length from then on.
    Resize(usize),
    Sync,
}

/// The calls on some files, in the order in which they began.
pub(super) fn read(noted: &Noted, files: [&Path; 2]) -> Vec<Call> {
    let mut calls = Vec::new();
    for text in noted.texts() {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let mut bytes = Vec::new();
            while let Some(dump) = lines.next_if(|line| line.starts_with(" | ")) {
                read_dump(dump, &mut bytes);
            }
            calls.extend(read_call(line, bytes, files));
        }
    }
    calls.sort_by_key(|call| call.begun);
    calls
}

/// Reads `1795991819.310515555 pwrite64(14</data/coffer.db>, ""..., 4096, 8192) = 4096 <0.000033359>`, and nothing where the
/// tracer has left amid it.
fn read_call(line: &str, bytes: Vec<u8>, files: [&Path; 2]) -> Option<Call> {
    let (begun, call) = line.split_once(' ')?;
    let (call, took) = call.strip_suffix('>')?.rsplit_once(" <")?;
    let (call, result) = call.rsplit_once(" = ")?;
    let (name, arguments) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    let (_, arguments) = arguments.split_once('<')?;
    let (path, arguments) = arguments.split_once('>')?;
    let begun = nanoseconds(begun);
    let ended = begun + nanoseconds(took);
    let mut from_the_end = arguments.rsplit(", ").map(|number| number.parse::<usize>().expect("a number"));
    let mut argument = || from_the_end.next().expect("an argument");
    let what = match name {
        "pwrite64" => {
            let offset = argument();
            let whole = bytes.len().to_string();
            assert_eq!((argument().to_string(), result), (whole.clone(), whole.as_str()), "{line}");
            What::Write { offset, bytes }
        }
        "ftruncate" | "fsync" | "fdatasync" if result != "0" => panic!("it has failed: {line}"),
        "ftruncate" => What::Resize(argument()),
        "fsync" | "fdatasync" => What::Sync,
        other => panic!("{other} is not traced"),
    };
    let file = files.iter().position(|file| *file == Path::new(path)).expect("other files are not traced");
    Some(Call { file, begun, ended, what })
}

fn nanoseconds(text: &str) -> u64 {
    let (seconds, parts) = text.split_once('.').expect("seconds and their parts");
    assert_eq!(parts.len(), 9, "{text}");
    format!("{seconds}{parts}").parse().expect("a time")
}

/// Reads ` | 00010  0a cc 27 47 0b 48 97 c3  5d 8b 64 2b 04 6e 4c 93  ..'G.H..].d+.nL. |`; the last line has fewer bytes.
fn read_dump(line: &str, bytes: &mut Vec<u8>) {
    let (_, dump) = line.trim_start_matches(" | ").split_once("  ").expect("a place and bytes");
    // Two groups of eight, of three characters each, a space between them.
    let places = (0..8).map(|byte| 3 * byte).chain((8..16).map(|byte| 3 * byte + 1));
    for place in places {
        match dump.get(place..place + 2) {
            Some(hex) if hex != "  " => bytes.push(u8::from_str_radix(hex, 16).expect("a byte")),
            _ => return,
        }
    }
}
