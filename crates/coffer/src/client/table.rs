//! Tables for people, JSON for programs.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::cli::Globals;
use crate::terminal::say;

/// Columns: a heading, and where the answer has the value.
pub(super) type Columns = &'static [(&'static str, &'static str)];

pub(super) const ACCOUNT: Columns = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("EXTERNAL ID", "/external_id"),
    ("STATUS", "/status"),
    ("AVAILABLE", "/balance/available"),
    ("HELD", "/balance/held"),
    ("OVERDRAFT LIMIT", "/overdraft_limit"),
    ("CREATED", "/created_at"),
];

pub(super) const PORTAL: Columns = &[("LINK (works once)", "/url"), ("UNTIL", "/expires_at")];

pub(super) const ERASED: Columns =
    &[("ACCOUNT", "/account_id"), ("ENTRIES ERASED", "/entries"), ("UNTIL", "/until")];

pub(super) const KEY: Columns = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("HINT", "/hint"),
    ("STATUS", "/status"),
    ("SPENT", "/spent"),
    ("LIMIT", "/limit/credits"),
    ("PER", "/limit/period"),
    ("EXPIRES", "/expires_at"),
    ("LAST USED", "/last_used_at"),
    ("CREATED", "/created_at"),
];

pub(super) const NEW_KEY: Columns =
    &[("ID", "/id"), ("NAME", "/name"), ("SECRET (shown this once)", "/secret"), ("EXPIRES", "/expires_at")];

pub(super) const VERIFIED_KEY: Columns = &[
    ("VALID", "/valid"),
    ("ALLOWED", "/allowed"),
    ("WOULD CHARGE", "/would_charge"),
    ("AVAILABLE", "/available"),
    ("ACCOUNT", "/account_id"),
    ("KEY", "/key_id"),
];

pub(super) const OPERATOR_KEY: Columns = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("HINT", "/hint"),
    ("STATUS", "/status"),
    ("SCOPES", "/scopes"),
    ("CREATED", "/created_at"),
];

pub(super) const NEW_OPERATOR_KEY: Columns =
    &[("ID", "/id"), ("NAME", "/name"), ("SECRET (shown this once)", "/secret"), ("SCOPES", "/scopes")];

pub(super) const GRANT: Columns = &[
    ("ID", "/id"),
    ("CREDITS", "/credits"),
    ("REMAINING", "/remaining"),
    ("HELD", "/held"),
    ("CATEGORY", "/category"),
    ("PRIORITY", "/priority"),
    ("STATUS", "/status"),
    ("EFFECTIVE", "/effective_at"),
    ("EXPIRES", "/expires_at"),
];

pub(super) const CHARGE: Columns = &[
    ("ID", "/id"),
    ("OPERATION", "/operation"),
    ("QUANTITY", "/quantity"),
    ("CREDITS", "/credits"),
    ("REFERENCE", "/reference"),
    ("CREATED", "/created_at"),
    ("AVAILABLE AFTER", "/balance/available"),
];

pub(super) const PAST_CHARGE: Columns = &[
    ("ID", "/id"),
    ("ACCOUNT", "/account_id"),
    ("KEY", "/key_id"),
    ("OPERATION", "/operation"),
    ("QUANTITY", "/quantity"),
    ("CREDITS", "/credits"),
    ("REFUNDED", "/refunded"),
    ("REFERENCE", "/reference"),
    ("CREATED", "/created_at"),
];

pub(super) const HOLD: Columns = &[
    ("ID", "/id"),
    ("ACCOUNT", "/account_id"),
    ("OPERATION", "/operation"),
    ("QUANTITY", "/quantity"),
    ("CREDITS", "/credits"),
    ("CAPTURED", "/captured"),
    ("STATUS", "/status"),
    ("EXPIRES", "/expires_at"),
    ("REFERENCE", "/reference"),
    ("AVAILABLE AFTER", "/balance/available"),
];

pub(super) const REFUND: Columns = &[
    ("ID", "/id"),
    ("CHARGE", "/charge_id"),
    ("CREDITS", "/credits"),
    ("CREATED", "/created_at"),
    ("AVAILABLE AFTER", "/balance/available"),
];

pub(super) const ADJUSTMENT: Columns = &[
    ("ID", "/id"),
    ("CREDITS", "/credits"),
    ("REASON", "/reason"),
    ("CREATED", "/created_at"),
    ("AVAILABLE AFTER", "/balance/available"),
];

pub(super) const BALANCE: Columns = &[
    ("AVAILABLE", "/available"),
    ("HELD", "/held"),
    ("POSTED", "/posted"),
    ("OVERDRAFT LIMIT", "/overdraft_limit"),
    ("NEXT EXPIRY", "/next_expiry/at"),
    ("AT", "/at"),
];

pub(super) const OPEN_GRANT: Columns = &[
    ("GRANT", "/id"),
    ("REMAINING", "/remaining"),
    ("HELD", "/held"),
    ("CATEGORY", "/category"),
    ("PRIORITY", "/priority"),
    ("EXPIRES", "/expires_at"),
];

pub(super) const ENTRY: Columns = &[
    ("SEQ", "/seq"),
    ("AT", "/at"),
    ("KIND", "/kind"),
    ("CREDITS", "/credits"),
    ("HELD CREDITS", "/held_credits"),
    ("AVAILABLE AFTER", "/available_after"),
    ("HELD AFTER", "/held_after"),
    ("OPERATION", "/operation"),
    ("REFERENCE", "/reference"),
];

pub(super) const USAGE_BY_DAY: Columns = &[
    ("DAY", "/day"),
    ("CREDITS", "/credits"),
    ("CHARGED", "/charged"),
    ("REFUNDED", "/refunded"),
    ("CHARGES", "/charges"),
];

pub(super) const USAGE_BY_KEY: Columns = &[
    ("KEY", "/key_id"),
    ("CREDITS", "/credits"),
    ("CHARGED", "/charged"),
    ("REFUNDED", "/refunded"),
    ("CHARGES", "/charges"),
];

pub(super) const USAGE_BY_OPERATION: Columns = &[
    ("OPERATION", "/operation"),
    ("CREDITS", "/credits"),
    ("CHARGED", "/charged"),
    ("REFUNDED", "/refunded"),
    ("CHARGES", "/charges"),
];

pub(super) const PRICE: Columns = &[
    ("OPERATION", "/operation"),
    ("CREDITS PER UNIT", "/credits_per_unit"),
    ("UNIT", "/unit"),
    ("DESCRIPTION", "/description"),
];

pub(super) const BATCH_RESULT: Columns = &[
    ("PLACE", "/place"),
    ("STATUS", "/status"),
    ("ID OR CODE", "/told"),
    ("REPLAYED", "/replayed"),
    ("DETAIL", "/detail"),
];

/// Shows one object.
pub(super) fn show(globals: &Globals, answer: &Value, columns: Columns) {
    if globals.json {
        say(answer);
    } else {
        print(std::slice::from_ref(answer), columns);
    }
}

/// Shows a page of a list, and how to go on.
pub(super) fn show_list(globals: &Globals, answer: &Value, columns: Columns) {
    if globals.json {
        say(answer);
        return;
    }
    print(answer["data"].as_array().map_or(&[], Vec::as_slice), columns);
    if let Some(cursor) = answer["next_cursor"].as_str() {
        say(format_args!("more: --cursor {cursor}"));
    }
}

/// Prints rows under their headings.
pub(super) fn print(rows: &[Value], columns: Columns) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for row in rows {
        table.add_row(columns.iter().map(|(_, place)| text(row.pointer(place))));
    }
    say(table.trim_fmt());
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(" "),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}
