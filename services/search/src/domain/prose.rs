//! Descriptions are HTML; only their words count here.

const ENTITIES: [(&str, &str); 7] = [
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&apos;", "'"),
    ("&amp;", "&"),
];

/// The text of some HTML, on one line, cut after so many characters. Never meant to be shown as HTML again.
pub fn plain(html: &str, length_max: usize) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            _ if letter.is_whitespace() || letter.is_control() => text.push(' '),
            _ => text.push(letter),
        }
    }
    for (entity, character) in ENTITIES {
        if text.contains('&') {
            text = text.replace(entity, character);
        }
    }
    let mut line = String::with_capacity(text.len().min(length_max * 4));
    for (number, letter) in text.split_whitespace().enumerate().flat_map(spaced).enumerate() {
        if number >= length_max {
            break;
        }
        line.push(letter);
    }
    line.truncate(line.trim_end().len());
    line
}

fn spaced((number, word): (usize, &str)) -> impl Iterator<Item = char> {
    (number > 0).then_some(' ').into_iter().chain(word.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_one_line_of_its_words() {
        let html = "<p>Oak &amp; <b>ash</b>,\n\n 5&nbsp;cm</p><script>x</script>";

        assert_eq!(plain(html, 100), "Oak & ash , 5 cm x");
        assert_eq!(plain(html, 6), "Oak &");
        assert_eq!(plain("a < b", 100), "a");
    }
}
