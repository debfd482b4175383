//! What the system tells about processes: memory and processor time.

use std::fs;

use crate::Failure;

/// Bytes of memory that a process occupies.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.and_then(|text| text.parse::<u64>().ok());
    kibibytes.map(|count| count * 1024).ok_or_else(|| Failure::of(&path, "it has no VmRSS"))
}

/// Processor time, in nanoseconds since some moment.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    /// Of one process.
    pub(crate) process_ns: u64,
    /// Of this process and those of its children that have ended.
    own_ns: u64,
    /// Of the whole machine: every core, whether for programs, for the kernel, or lost to other machines.
    machine_ns: u64,
}

/// What happened between two moments.
pub(crate) struct CpuUse {
    /// What the process took.
    pub(crate) process_ns: u64,
    /// What neither the process nor this one and its children took.
    pub(crate) others_ns: u64,
}

impl CpuTime {
    pub(crate) fn now(pid: u32) -> Result<CpuTime, Failure> {
        let [process_ns, _] = times(&format!("/proc/{pid}/stat"))?;
        let [own_ns, children_ns] = times("/proc/self/stat")?;
        Ok(CpuTime { process_ns, own_ns: own_ns + children_ns, machine_ns: machine_ns()? })
    }

    pub(crate) fn until(self, later: CpuTime) -> CpuUse {
        let process_ns = later.process_ns.saturating_sub(self.process_ns);
        let ours_ns = process_ns + later.own_ns.saturating_sub(self.own_ns);
        let machine_ns = later.machine_ns.saturating_sub(self.machine_ns);
        CpuUse { process_ns, others_ns: machine_ns.saturating_sub(ours_ns) }
    }
}

/// What a process took, and what its ended children took.
fn times(path: &str) -> Result<[u64; 2], Failure> {
    let stat = fs::read_to_string(path).map_err(|error| Failure::of(path, error))?;
    // The name in parentheses may hold anything, so that fields count from behind it: the third is the first.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| Failure::of(path, "it has no name"))?;
    let ticks: Option<Vec<u64>> =
        fields.split_whitespace().skip(11).take(4).map(|field| field.parse().ok()).collect();
    match ticks.as_deref() {
        Some([user, system, children_user, children_system]) => {
            Ok([in_ns(user + system), in_ns(children_user + children_system)])
        }
        Some(_) | None => Err(Failure::of(path, "it has no times")),
    }
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
