//! Results as a program reads them.

use std::path::Path;

use serde_json::{Value, json};

use crate::Failure;
use crate::table::{Quantity, Ratios, Row, Table, Unit};

/// Writes what was measured into a file.
pub(crate) fn write(table: &Table, file: &Path) -> Result<(), Failure> {
    let machine: serde_json::Map<String, Value> =
        table.machine.lines().iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let rows: Vec<Value> = table.rows.iter().map(row).collect();
    let results = json!({"quick": table.is_quick, "machine": machine, "rows": rows});
    let text = serde_json::to_string_pretty(&results).map_err(|error| Failure::of("write results", error))?;
    std::fs::write(file, text + "\n").map_err(|error| Failure::of("write results", error))
}

/// Reads such a file.
pub(crate) fn read(file: &Path) -> Result<Value, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::of(&file.display().to_string(), error);
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

fn row(row: &Row) -> Value {
    json!({
        "measurement": row.measurement,
        "work": row.work.trim(),
        "coffer": row.coffer.as_ref().ok().map(quantity),
        "failure": row.coffer.as_ref().err(),
        "peer": row.peer.as_ref().map(|(name, number)| {
            let mut value = quantity(number);
            value["name"] = json!(name);
            value
        }),
        "ratio_thousandths": row.ratio.as_ref().map(ratio),
        "goal": row.goal.as_ref().map(|goal| json!({"text": goal.text, "met": goal.is_met})),
        "chart": row.chart,
    })
}

fn quantity(quantity: &Quantity) -> Value {
    let unit = match quantity.unit {
        Unit::PerSecond => "per_second",
        Unit::Nanoseconds => "nanoseconds",
        Unit::Milliseconds => "milliseconds",
        Unit::Bytes => "bytes",
        Unit::BytesPerAccount => "bytes_per_account",
        Unit::Percent => "percent",
        Unit::Count => "count",
    };
    json!({"number": quantity.number, "unit": unit})
}

fn ratio(ratios: &Ratios) -> Value {
    json!({
        "median": ratios.median.thousandths,
        "lower": ratios.lower.thousandths,
        "upper": ratios.upper.thousandths,
    })
}
