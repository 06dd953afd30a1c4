//! A pass in the firmware's words.

use super::Origin;
use traceur_core::machine::Dialect;

/// One line for the firmware.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// In ASCII, without its line end: G-code of at most 79 characters, an EBB command, an HP-GL instruction.
    pub line: String,
    /// Where in the drawing it comes from; `None` for what belongs to no stroke.
    pub origin: Option<Origin>,
    /// Whether its answer proves that all before it has been drawn (GRBL: M3, M5, S and G4 wait for the planner to run dry).
    pub drains: bool,
}

/// All lines of one pass, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// What the lines are written in.
    pub dialect: Dialect,
    /// What a reader of the file should know, in ASCII without line ends: pass and pen.
    pub title: String,
    /// The lines.
    pub statements: Vec<Statement>,
    /// What lifts the pen from any state: for a stop in the middle.
    pub lift: Vec<String>,
}

impl Program {
    /// A program that draws nothing: its session connects, asks what must be known before anything moves, and ends.
    #[must_use]
    pub fn nothing(dialect: Dialect) -> Self {
        // HP-GL's session ends when the plotter has answered behind a statement: this one moves nothing along.
        let lift = Statement { line: "PU;".into(), origin: None, drains: true };
        let statements = if dialect == Dialect::Hpgl { vec![lift] } else { Vec::new() };
        Self { dialect, title: String::new(), statements, lift: Vec::new() }
    }

    /// Lets an HP-GL plotter draw with its pen up. The other dialects' heights are the profile's.
    pub fn keep_pen_up(&mut self) {
        if self.dialect == Dialect::Hpgl {
            // No other letters of these programs are PD.
            for statement in &mut self.statements {
                statement.line = statement.line.replace("PD", "PU");
            }
        }
    }

    /// The very bytes a file holds. G-code: a `;` comment with the title, which GRBL strips, then a line a statement, LF. EBB:
    /// a line a statement, CR. HP-GL: the statements, each of which ends itself.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if !self.title.is_empty() && self.dialect == Dialect::Grbl {
            text.push_str(&format!("; {}\n", self.title));
        }
        for statement in &self.statements {
            text.push_str(&statement.line);
            text.push_str(self.line_end());
        }
        text
    }

    /// What follows each statement.
    #[must_use]
    pub fn line_end(&self) -> &'static str {
        match self.dialect {
            Dialect::Grbl => "\n",
            Dialect::Ebb => "\r",
            Dialect::Hpgl => "",
        }
    }
}
