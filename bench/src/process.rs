//! What the system tells about processes: memory and processor time.

use std::collections::BTreeMap;
use std::fs;

use crate::Failure;

/// The parent of the kernel's own threads, which write to disks for those who asked.
const KERNEL: u32 = 2;

/// Bytes of memory that a process occupies.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    status_bytes(pid, "VmRSS:")
}

/// The most bytes of memory that a process has occupied since the mark was set back.
pub(crate) fn resident_bytes_peak(pid: u32) -> Result<u64, Failure> {
    status_bytes(pid, "VmHWM:")
}

/// Sets back the mark of the most memory.
pub(crate) fn forget_peak(pid: u32) -> Result<(), Failure> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").map_err(|error| Failure::of(&path, error))
}

fn status_bytes(pid: u32, name: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.and_then(|text| text.parse::<u64>().ok());
    kibibytes
        .map(|count| count * 1024)
        .ok_or_else(|| Failure::of(&path, format_args!("it does not tell {name}")))
}

/// Processor time, in nanoseconds since some moment.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    /// Of processes, of those that they started, and so on.
    server_ns: u64,
    /// Of this process and those of its children that have ended, and of the kernel's threads.
    own_ns: u64,
    /// Of the whole machine: every core, whether for programs, for the kernel, or lost to other machines.
    machine_ns: u64,
}

/// What happened between two moments.
pub(crate) struct CpuUse {
    /// What the server took.
    pub(crate) server_ns: u64,
    /// What neither the server nor the load nor the kernel for them took.
    pub(crate) others_ns: u64,
}

impl CpuTime {
    /// Of a server of so many processes, each with those that it started.
    pub(crate) fn now(server: &[u32]) -> Result<CpuTime, Failure> {
        let all = all()?;
        let own =
            all.get(&std::process::id()).ok_or_else(|| Failure::of("/proc", "this process is missing"))?;
        let own_ns = own.ns + of_tree(&all, KERNEL);
        let server_ns = server.iter().map(|root| of_tree(&all, *root)).sum();
        Ok(CpuTime { server_ns, own_ns, machine_ns: machine_ns()? })
    }

    pub(crate) fn until(self, later: CpuTime) -> CpuUse {
        let server_ns = later.server_ns.saturating_sub(self.server_ns);
        let ours_ns = server_ns + later.own_ns.saturating_sub(self.own_ns);
        let machine_ns = later.machine_ns.saturating_sub(self.machine_ns);
        CpuUse { server_ns, others_ns: machine_ns.saturating_sub(ours_ns) }
    }
}

/// A process: its parent, and the time that it and its ended children took.
struct Process {
    parent: u32,
    ns: u64,
}

fn all() -> Result<BTreeMap<u32, Process>, Failure> {
    let folder = fs::read_dir("/proc").map_err(|error| Failure::of("/proc", error))?;
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One that has ended meanwhile is none.
    Ok(pids.filter_map(|pid| Some((pid, process(pid)?))).collect())
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so that fields count from behind it: the third is the first.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let times: Option<Vec<u64>> = fields.get(11..15)?.iter().map(|field| field.parse().ok()).collect();
    Some(Process { parent: fields.get(1)?.parse().ok()?, ns: in_ns(times?.iter().sum()) })
}

fn of_tree(all: &BTreeMap<u32, Process>, root: u32) -> u64 {
    let belongs = |pid: u32| {
        let mut at = pid;
        while at != root {
            match all.get(&at) {
                Some(process) if process.parent != at => at = process.parent,
                Some(_) | None => return false,
            }
        }
        true
    };
    all.iter().filter(|(pid, _)| belongs(**pid)).map(|(_, process)| process.ns).sum()
}

fn machine_ns() -> Result<u64, Failure> {
    let path = "/proc/stat";
    let stat = fs::read_to_string(path).map_err(|error| Failure::of(path, error))?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    match ticks.as_slice() {
        [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] => {
            Ok(in_ns(user + nice + system + irq + softirq + steal))
        }
        _ => Err(Failure::of(path, "it has no times")),
    }
}

/// The kernel counts processor time in hundredths of a second.
fn in_ns(ticks: u64) -> u64 {
    ticks * 10_000_000
}
