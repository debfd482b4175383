//! What is around every page of the console.

use coffer_ledger::Scope;

use super::visitor::Visitor;
use super::words::ConsoleWords;
use crate::pages::frame::{Frame, NavItem, Shape};
use crate::pages::look::Look;

/// A page of the console, as the navigation knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Overview,
    Accounts,
    Prices,
    OperatorKeys,
    Sessions,
    Audit,
    Store,
}

impl Place {
    /// Every page, and what the operator's key must be allowed for it, if anything.
    const ALL: [(Place, Option<Scope>); 7] = [
        (Place::Overview, Some(Scope::Read)),
        (Place::Accounts, Some(Scope::Read)),
        (Place::Prices, Some(Scope::Read)),
        (Place::OperatorKeys, Some(Scope::Admin)),
        (Place::Sessions, None),
        (Place::Audit, Some(Scope::Admin)),
        (Place::Store, Some(Scope::Read)),
    ];

    /// The pages that a visitor may see: the one of their own sessions at the least.
    fn seen_by(visitor: &Visitor) -> impl Iterator<Item = Place> {
        let may_see = |needed: Option<Scope>| needed.is_none_or(|scope| visitor.may(scope));
        Place::ALL.into_iter().filter(move |(_, needed)| may_see(*needed)).map(|(place, _)| place)
    }

    /// The first page that a visitor may see.
    pub(super) fn first(visitor: &Visitor) -> Place {
        Place::seen_by(visitor).next().expect("everybody may see their own sessions")
    }

    pub(super) const fn href(self) -> &'static str {
        match self {
            Place::Overview => "/console",
            Place::Accounts => "/console/accounts",
            Place::Prices => "/console/prices",
            Place::OperatorKeys => "/console/operator-keys",
            Place::Sessions => "/console/sessions",
            Place::Audit => "/console/audit",
            Place::Store => "/console/store",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Place::Overview => "overview",
            Place::Accounts => "accounts",
            Place::Prices => "prices",
            Place::OperatorKeys => "keys",
            Place::Sessions => "sessions",
            Place::Audit => "audit",
            Place::Store => "store",
        }
    }

    const fn label(self, words: &ConsoleWords) -> &'static str {
        match self {
            Place::Overview => words.overview,
            Place::Accounts => words.accounts,
            Place::Prices => words.prices,
            Place::OperatorKeys => words.operator_keys,
            Place::Sessions => words.sessions,
            Place::Audit => words.audit,
            Place::Store => words.store,
        }
    }
}

/// The frame of a page.
pub(super) fn frame(visitor: &Visitor, place: Place, title: impl Into<String>) -> Frame {
    let words = visitor.words();
    let mut frame = base(visitor.look.clone(), title);
    let item = |of: Place| NavItem {
        label: of.label(words).to_owned(),
        href: of.href().to_owned(),
        icon: of.icon(),
        is_current: of == place,
    };
    frame.nav = Place::seen_by(visitor).map(item).collect();
    frame.nav.push(NavItem {
        label: words.docs.to_owned(),
        href: "/docs".to_owned(),
        icon: "docs",
        is_current: false,
    });
    frame.who = Some(visitor.who());
    frame
}

fn base(look: Look, title: impl Into<String>) -> Frame {
    let words = ConsoleWords::of(look.language);
    let mut frame = Frame::new(look, Shape::Wide, title);
    frame.place_name = words.console.to_owned();
    frame.home = Place::Overview.href().to_owned();
    frame
}
