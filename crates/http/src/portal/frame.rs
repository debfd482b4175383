//! What is around every page of the customer's.

use axum::response::Response;

use super::visitor::Visitor;
use super::words::PortalWords;
use crate::docs::endpoint;
use crate::pages::SETTINGS_PATH;
use crate::pages::frame::{Frame, NavItem, Shape};
use crate::pages::look::Look;
use crate::pages::page::{Heading, Page};
use crate::pages::part;
use crate::pages::rules;
use crate::problem::{Code, Problem};

/// A page of the customer's, as the navigation knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Keys,
    Usage,
    Credits,
    Statement,
    Start,
    Sessions,
}

impl Place {
    const ALL: [Place; 6] =
        [Place::Keys, Place::Usage, Place::Credits, Place::Statement, Place::Start, Place::Sessions];

    pub(super) const fn href(self) -> &'static str {
        match self {
            Place::Keys => SETTINGS_PATH,
            Place::Usage => "/portal/usage",
            Place::Credits => "/portal/credits",
            Place::Statement => "/portal/statement",
            Place::Start => "/portal/start",
            Place::Sessions => "/portal/sessions",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Place::Keys => "keys",
            Place::Usage => "overview",
            Place::Credits => "prices",
            Place::Statement => "audit",
            Place::Start => "start",
            Place::Sessions => "sessions",
        }
    }

    const fn label(self, words: &PortalWords) -> &'static str {
        match self {
            Place::Keys => words.keys,
            Place::Usage => words.usage,
            Place::Credits => words.credits,
            Place::Statement => words.statement,
            Place::Start => words.start,
            Place::Sessions => words.sessions,
        }
    }
}

/// The frame of a page.
pub(super) fn frame(visitor: &Visitor, place: Place, title: &str) -> Frame {
    let words = visitor.words();
    let mut frame = base(visitor.look.clone(), title);
    let item = |of: Place| NavItem {
        label: of.label(words).to_owned(),
        href: of.href().to_owned(),
        icon: of.icon(),
        is_current: of == place,
    };
    frame.nav = Place::ALL.map(item).to_vec();
    frame.nav.push(NavItem {
        label: words.endpoint.to_owned(),
        href: endpoint::PATH.to_owned(),
        icon: "docs",
        is_current: false,
    });
    frame.who = Some(visitor.who());
    frame.way_back = visitor.way_back().map(|url| (words.way_back.to_owned(), url.as_str().to_owned()));
    frame
}

fn base(look: Look, title: &str) -> Frame {
    let words = PortalWords::of(look.language);
    let mut frame = Frame::new(look, Shape::Wide, title);
    frame.place_name = words.title.to_owned();
    frame.home = SETTINGS_PATH.to_owned();
    frame
}

/// A page that says why there is none, to whoever was let in.
pub(super) fn refused(visitor: &Visitor, place: Place, problem: &Problem) -> Response {
    let (title, text) = told(&visitor.look, problem);
    let page = Page::new(frame(visitor, place, title), Heading::new(title).lead(part::text(text)));
    page.respond(problem.status())
}

/// The same where nothing is known of the account.
pub(super) fn refused_in(look: &Look, problem: &Problem) -> Response {
    let (title, text) = told(look, problem);
    let page = Page::new(base(look.clone(), title), Heading::new(title).lead(part::text(text)));
    page.respond(problem.status())
}

fn told(look: &Look, problem: &Problem) -> (&'static str, String) {
    let common = look.language.words();
    match problem.code() {
        Code::NotFound => (common.error_not_found, common.error_not_found_text.to_owned()),
        Code::Unavailable | Code::Internal => {
            (common.error_unavailable, common.error_unavailable_text.to_owned())
        }
        _ => (common.error_refused, rules::told_whole(problem, look.language)),
    }
}
