//! Reads Rust source well enough to judge its form: no comments, no text in quotes, then functions and paths.

/// A function: its name, the line it begins on, and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// A path that the source names, with `use` trees spelt out: `kit::{Id, Money}` is two paths.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// What an import is called here; nothing for a path that is no import.
    pub(crate) import: Option<String>,
}

/// The source with spaces for comments and for what stands in quotes, so that lines and columns stay.
pub(crate) fn bare(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut bare = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = match (text[at], text.get(at + 1)) {
            ('/', Some('/')) => line_end(&text, at),
            ('/', Some('*')) => comment_end(&text, at),
            ('"', _) => quote_end(&text, at),
            ('r', _) if !follows_word(&text, at) => raw_end(&text, at),
            // `br"…"` and `cr"…"`: the letter before an `r` makes no word of it.
            ('b' | 'c', Some('r')) if !follows_word(&text, at) => {
                let end = raw_end(&text, at + 1);
                if end == at + 1 { at } else { end }
            }
            ('\'', _) => char_end(&text, at),
            _ => at,
        };
        if end == at {
            bare.push(text[at]);
            at += 1;
            continue;
        }
        for letter in &text[at..end] {
            bare.push(if *letter == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    bare
}

/// The source without its modules of tests, which may do what the rest may not; lines stay.
pub(crate) fn without_tests(bare: &str) -> String {
    let mut text: Vec<char> = bare.chars().collect();
    let marker: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut at = 0;
    while at + marker.len() <= text.len() {
        if text[at..at + marker.len()] == marker[..] {
            let end = item_end(&text, at + marker.len());
            for letter in &mut text[at..end] {
                if *letter != '\n' {
                    *letter = ' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    text.into_iter().collect()
}

/// The lines of code outside tests, for budgets: neither blank nor comment, for explaining costs nothing.
pub(crate) fn code_lines(source: &str) -> usize {
    let kept = without_tests(&bare(source));
    // A line inside a long text is emptied by `bare` and not counted, which is little.
    kept.lines().filter(|line| !line.trim().is_empty()).count()
}

/// All functions of a bare source.
pub(crate) fn functions(bare: &str) -> Vec<Function> {
    let text: Vec<char> = bare.chars().collect();
    let ends = line_ends(&text);
    let mut functions = Vec::new();
    for (at, word) in words(&text) {
        if word != "fn" {
            continue;
        }
        let rest = at + 2;
        let Some(start) = (rest..text.len()).find(|&at| !text[at].is_whitespace()) else {
            continue;
        };
        // A type such as `fn(u8)` has no name.
        if start == rest || !is_word(text[start]) {
            continue;
        }
        let name: String = text[start..].iter().take_while(|letter| is_word(**letter)).collect();
        let line = line_of(&ends, at);
        let end = item_end(&text, start);
        functions.push(Function { name, line, lines: line_of(&ends, end - 1) - line + 1 });
    }
    functions
}

/// All paths of a bare source with two segments or more, and all of its imports.
pub(crate) fn paths(bare: &str) -> Vec<Path> {
    let text: Vec<char> = bare.chars().collect();
    let ends = line_ends(&text);
    let tokens = tokens(&text);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (position, token) = &tokens[at];
        let line = line_of(&ends, *position);
        // `use<'a>` in a signature imports nothing.
        let captures = tokens.get(at + 1).is_some_and(|(_, next)| next == "<");
        if token == "use" && !captures {
            let mut found = Vec::new();
            at = tree(&tokens, at + 1, &[], &mut found);
            paths.extend(found.into_iter().map(|(segments, name)| Path {
                line,
                segments,
                import: Some(name),
            }));
            continue;
        }
        let mut segments = vec![token.clone()];
        at += 1;
        while is_path_word(&segments[segments.len() - 1])
            && tokens.get(at).is_some_and(|(_, token)| token == "::")
            && tokens.get(at + 1).is_some_and(|(_, next)| is_path_word(next))
        {
            segments.push(tokens[at + 1].1.clone());
            at += 2;
        }
        if segments.len() > 1 {
            paths.push(Path { line, segments, import: None });
        }
    }
    paths
}

/// Reads a tree of imports from `at`, each with the name it gets; answers with the place after it.
fn tree(
    tokens: &[(usize, String)],
    mut at: usize,
    before: &[String],
    found: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let mut path = before.to_vec();
    let mut renamed = None;
    let mut grouped = false;
    while let Some((_, token)) = tokens.get(at) {
        match token.as_str() {
            "::" => {}
            "{" => {
                grouped = true;
                at += 1;
                while tokens.get(at).is_some_and(|(_, token)| token != "}" && token != ";") {
                    at = tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|(_, token)| token == ",") {
                        at += 1;
                    }
                }
            }
            // The new name of an import says nothing about where it comes from.
            "as" => {
                at += 1;
                renamed = tokens.get(at).map(|(_, name)| name.clone());
            }
            "," | "}" | ";" => break,
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    if !grouped && path.len() > before.len() {
        let name = renamed.unwrap_or_else(|| path[path.len() - 1].clone());
        found.push((path, name));
    }
    at
}

/// Words and the marks that paths are made of.
fn tokens(text: &[char]) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        if is_word(text[at]) {
            while at < text.len() && is_word(text[at]) {
                at += 1;
            }
        } else if text[at] == ':' && text.get(at + 1) == Some(&':') {
            at += 2;
        } else {
            at += 1;
            if text[start].is_whitespace() {
                continue;
            }
        }
        tokens.push((start, text[start..at].iter().collect()));
    }
    tokens
}

fn words(text: &[char]) -> Vec<(usize, String)> {
    let mut words = tokens(text);
    words.retain(|(_, word)| is_path_word(word));
    words
}

/// The end of the item that goes on at `at`: after its block, or after its semicolon.
fn item_end(text: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut braces = 0_usize;
    for (at, letter) in text.iter().enumerate().skip(at) {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' => braces += 1,
            '}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 && depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 && braces == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn line_end(text: &[char], at: usize) -> usize {
    (at..text.len()).find(|&at| text[at] == '\n').unwrap_or(text.len())
}

fn comment_end(text: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

fn quote_end(text: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The end of `r"…"` or `r#"…"#`, or `at` itself where none begins.
fn raw_end(text: &[char], at: usize) -> usize {
    let hashes = text[at + 1..].iter().take_while(|letter| **letter == '#').count();
    let open = at + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return at;
    }
    (open + 1..text.len())
        .find(|&close| text[close] == '"' && (1..=hashes).all(|hash| text.get(close + hash) == Some(&'#')))
        .map_or(text.len(), |close| close + 1 + hashes)
}

/// The end of `'x'` or `'\n'`, or `at` itself for a lifetime.
fn char_end(text: &[char], at: usize) -> usize {
    if text.get(at + 1) == Some(&'\\') {
        // The letter after the backslash may be the quote itself.
        return (at + 3..text.len()).find(|&at| text[at] == '\'').map_or(text.len(), |close| close + 1);
    }
    if text.get(at + 2) == Some(&'\'') {
        return at + 3;
    }
    at
}

fn follows_word(text: &[char], at: usize) -> bool {
    at > 0 && is_word(text[at - 1])
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_path_word(token: &str) -> bool {
    token.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_')
}

/// Where each line ends, so that a place is found without counting from the start.
fn line_ends(text: &[char]) -> Vec<usize> {
    (0..text.len()).filter(|&at| text[at] == '\n').collect()
}

fn line_of(ends: &[usize], at: usize) -> usize {
    ends.partition_point(|&end| end < at) + 1
}
