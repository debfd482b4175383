//! What may depend on what. A new edge between crates, and a new dependency of the ledger, fail here first, so
//! that each is a decision and not an accident. See ARCHITECTURE.md.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::process::Command;

    use serde_json::Value;

    /// Each crate of the product, and those of the others that it may call.
    const EDGES: [(&str, &[&str]); 5] = [
        ("coffer-ledger", &[]),
        ("coffer-store", &["coffer-ledger"]),
        ("coffer-service", &["coffer-ledger", "coffer-store"]),
        ("coffer-http", &["coffer-ledger", "coffer-service"]),
        ("coffer", &["coffer-http", "coffer-ledger", "coffer-service", "coffer-store"]),
    ];

    /// What the ledger may depend on: none of it does I/O, tells the time or draws random numbers. Except that
    /// foldhash seeds the maps of a process by the clock and by addresses, as the standard library does by random numbers,
    /// against keys that are chosen to collide: no outcome can tell, for none depends on a map's order.
    const LEDGER_MAY_USE: [&str; 6] = ["foldhash", "jiff", "rpds", "sha2", "subtle", "thiserror"];

    /// Whose business a database is, and nobody else's.
    const OF_THE_STORE: [&str; 3] = ["rusqlite", "tokio-postgres", "deadpool-postgres"];

    /// Whose business HTTP is: the wire's, and the command line's as a client.
    const OF_THE_WIRE: [&str; 3] = ["axum", "hyper", "hyper-util"];

    fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let packages = metadata["packages"].as_array().expect("packages");
        let dependencies = |package: &Value| {
            let all = package["dependencies"].as_array().expect("dependencies").iter();
            let normal = all.filter(|dependency| dependency["kind"].is_null());
            normal.map(|dependency| text(&dependency["name"])).collect()
        };
        packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
    }

    fn text(value: &Value) -> String {
        value.as_str().expect("a string").to_owned()
    }

    #[test]
    fn calls_go_one_way() {
        let dependencies = dependencies();
        for (name, allowed) in EDGES {
            let own: BTreeSet<&str> = dependencies[name]
                .iter()
                .map(String::as_str)
                .filter(|dependency| EDGES.iter().any(|(other, _)| other == dependency))
                .collect();
            let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
            assert!(own.is_subset(&allowed), "{name} calls {own:?}, and may call {allowed:?}");
        }
    }

    #[test]
    fn the_ledger_depends_on_nothing_that_does_io() {
        for dependency in &dependencies()["coffer-ledger"] {
            assert!(
                LEDGER_MAY_USE.contains(&dependency.as_str()),
                "the ledger must not depend on {dependency}"
            );
        }
    }

    #[test]
    fn databases_are_the_store_s_and_http_is_the_wire_s() {
        for (name, used) in dependencies() {
            for (owner, libraries) in [("coffer-store", &OF_THE_STORE[..]), ("coffer-http", &OF_THE_WIRE[..])]
            {
                let is_product = EDGES.iter().any(|(product, _)| *product == name);
                if is_product && name != owner {
                    let found = used.iter().find(|used| libraries.contains(&used.as_str()));
                    assert_eq!(found, None, "{name} must leave this to {owner}");
                }
            }
        }
    }
}
