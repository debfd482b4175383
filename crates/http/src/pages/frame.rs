//! What is around every page: its title, where one can go, and the switches.

use super::assets::Assets;
use super::look::{Language, Look, Theme};
use super::words::Words;

/// What is around a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) look: Look,
    /// What the page is called, in the window's title.
    pub(crate) title: String,
    /// What this part of the site is called, beside the sign.
    pub(crate) place_name: String,
    pub(crate) home: String,
    /// Where one can go from here; with none, the page is a narrow one.
    pub(crate) nav: Vec<NavItem>,
    /// Who is here, and how to leave: where the form of signing out goes.
    pub(crate) who: Option<Who>,
    /// The way back to the site that sent the person here.
    pub(crate) way_back: Option<(String, String)>,
    pub(crate) shape: Shape,
}

/// How the page uses the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Navigation at the side.
    Wide,
    /// A bar on top.
    Column,
    /// A card in the middle.
    Card,
}

#[derive(Clone, Debug)]
pub(crate) struct NavItem {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) icon: &'static str,
    pub(crate) is_current: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) detail: String,
    /// Where the form of signing out goes.
    pub(crate) sign_out: String,
}

impl Frame {
    pub(crate) fn new(look: Look, shape: Shape, title: impl Into<String>) -> Frame {
        Frame {
            look,
            title: title.into(),
            place_name: String::new(),
            home: "/docs".to_owned(),
            nav: Vec::new(),
            who: None,
            way_back: None,
            shape,
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.look.language
    }

    pub(crate) fn words(&self) -> &'static Words {
        self.look.language.words()
    }

    pub(crate) fn themes(&self) -> [(Theme, bool); 3] {
        Theme::ALL.map(|theme| (theme, theme == self.look.theme))
    }

    pub(crate) fn languages(&self) -> [(Language, bool); 2] {
        Language::ALL.map(|language| (language, language == self.look.language))
    }

    pub(crate) fn assets(&self) -> &'static Assets {
        Assets::get()
    }

    pub(crate) fn shape_class(&self) -> &'static str {
        match self.shape {
            Shape::Wide => "wide",
            Shape::Column => "column",
            Shape::Card => "card-page",
        }
    }
}
