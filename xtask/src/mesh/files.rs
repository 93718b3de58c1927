//! What is rendered, and how it lies in the checkout.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use askama::Template;

use crate::process::{Error, file_error};

/// A file as it must be.
pub(crate) struct Rendered {
    /// From the root of the checkout.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Rendered {
    /// What a template makes of its values.
    pub(crate) fn new(path: String, template: &impl Template) -> Result<Rendered, Error> {
        let text = template
            .render()
            .map_err(|error| Error::Refused(format!("{path} cannot be rendered: {error}")))?;
        Ok(Rendered { path, text: format!("{}\n", text.trim_end()) })
    }
}

/// A sentence for every file that is not as it must be, and for every one in a rendered folder that nobody renders.
pub(crate) fn differences(
    root: &Path,
    folders: &[&str],
    rendered: &[Rendered],
) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    for file in rendered {
        match fs::read_to_string(root.join(&file.path)) {
            Ok(text) if text == file.text => {}
            Ok(text) => wrong.push(format!("{}:{} differs", file.path, first_difference(&text, &file.text))),
            Err(_) => wrong.push(format!("{} is missing", file.path)),
        }
    }
    let over = left_over(root, folders, rendered)?;
    wrong.extend(over.into_iter().map(|path| format!("{path} is left over")));
    Ok(wrong)
}

/// Makes the checkout what is rendered; answers how many files changed.
pub(crate) fn write(root: &Path, folders: &[&str], rendered: &[Rendered]) -> Result<usize, Error> {
    let mut changed = 0;
    for file in rendered {
        let path = root.join(&file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| file_error(folder, "made", source))?;
        }
        fs::write(&path, &file.text).map_err(|source| file_error(&path, "written", source))?;
        changed += 1;
    }
    for path in left_over(root, folders, rendered)? {
        let path = root.join(path);
        fs::remove_file(&path).map_err(|source| file_error(&path, "removed", source))?;
        changed += 1;
    }
    Ok(changed)
}

/// The line on which two texts part.
fn first_difference(left: &str, right: &str) -> usize {
    1 + left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count()
}

fn left_over(root: &Path, folders: &[&str], rendered: &[Rendered]) -> Result<Vec<String>, Error> {
    let mut found = BTreeSet::new();
    for folder in folders {
        collect(root, &root.join(folder), &mut found)?;
    }
    for file in rendered {
        found.remove(&file.path);
    }
    Ok(found.into_iter().collect())
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<String>) -> Result<(), Error> {
    // Before the first run there is none.
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, "read", source))? {
        let path = entry.map_err(|source| file_error(folder, "read", source))?.path();
        if path.is_dir() {
            collect(root, &path, found)?;
        } else if let Ok(path) = path.strip_prefix(root) {
            found.insert(path.display().to_string());
        }
    }
    Ok(())
}
