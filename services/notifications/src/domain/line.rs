//! Text that somebody outside wrote, made fit to stand in a mail.

use std::fmt;

/// Longer text is cut: a mail is read by people.
const LENGTH_MAX: usize = 200;
/// A name that is longer is none that a person would be greeted by.
const NAME_LENGTH_MAX: usize = 60;

/// One line without control characters, of at most 200 characters. It cannot begin a new line, end a head, or turn the
/// direction of writing; what it says is still a stranger's word, so HTML escapes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    pub fn of(text: &str) -> Line {
        let words = text.split(|letter: char| letter.is_whitespace() || is_hidden(letter));
        let mut line = String::new();
        for word in words.filter(|word| !word.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            if line.len() > 4 * LENGTH_MAX {
                break;
            }
        }
        match line.char_indices().nth(LENGTH_MAX) {
            Some((end, _)) => Line(format!("{}…", line.get(..end).unwrap_or_default())),
            None => Line(line),
        }
    }

    /// The name to greet somebody by. Whoever registers another's address chooses the name in the mail that goes there,
    /// so a name that reads like a message or would become a link is left out.
    pub fn greeting(given_name: &str) -> Option<Line> {
        let name = Line::of(given_name);
        let letters: Vec<char> = name.0.chars().collect();
        let is_link = letters.iter().any(|letter| "/:@\\<>".contains(*letter))
            || letters.windows(2).any(|pair| matches!(pair, ['.', next] if next.is_alphanumeric()));
        (!letters.is_empty() && letters.len() <= NAME_LENGTH_MAX && !is_link).then_some(name)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Controls, and what reorders or hides the text around it.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_however_it_came() {
        let hostile = "Ada\r\nBcc: eve@example.com\u{0}\u{202e}\r\n\r\n<b>";

        assert_eq!(Line::of(hostile).to_string(), "Ada Bcc: eve@example.com <b>");
        assert_eq!(Line::of(" \u{200b}\n"), Line::default());
        let long = Line::of(&"x".repeat(10_000));
        assert_eq!(long.to_string().chars().count(), LENGTH_MAX + 1);
        assert_eq!(Line::of(&"ä ".repeat(5_000)).to_string().chars().count(), LENGTH_MAX + 1);
    }

    #[test]
    fn nobody_is_greeted_by_a_message() {
        for name in ["Ada", "Jean-Luc", "J. R. R.", "Сергей", "李"] {
            assert_eq!(Line::greeting(name).map(|line| line.to_string()).as_deref(), Some(name));
        }
        let bad = ["", "\r\n", "win at http://evil.example", "evil.example", "a/b", "eve@x"];
        for name in bad.into_iter().chain(["x".repeat(61).as_str()]) {
            assert_eq!(Line::greeting(name), None, "{name}");
        }
    }
}
