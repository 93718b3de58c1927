//! A real repository with the real contract, broken on purpose.

use super::*;

/// Where it can be broken: an amount of money.
const FIELD: &str = "  int64 minor_units = 2;\n";
const FILE: &str = "proto/shop/common/v1/money.proto";

/// A repository of its own with the contract of this one as its first commit, on `main`.
struct Repository {
    checkout: Checkout,
    buf: PathBuf,
    _folder: tempfile::TempDir,
}

impl Repository {
    /// Nothing where buf is not installed. A full run installs it before its tests, and says so to them.
    fn new() -> Option<Repository> {
        let project = Checkout::of_this_build();
        let buf = project.root().join("xtask/tools/node_modules/.bin/buf");
        if !buf.exists() {
            assert!(std::env::var_os(VARIABLE).is_none(), "{} is missing", buf.display());
            eprintln!("not run: buf is not installed; `cargo xtask contract` does that");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        copy(&project.root().join("proto/shop"), &folder.path().join("proto/shop"));
        fs::copy(project.root().join("buf.yaml"), folder.path().join("buf.yaml")).unwrap();
        fs::write(folder.path().join(".gitignore"), "/target\n").unwrap();
        let repository = Repository { checkout: Checkout::at(folder.path()), buf, _folder: folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("Begin");
        Some(repository)
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = self.checkout.git(&["-c", "user.name=Test", "-c", "user.email=test@example.com"]);
        command.args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]);
        command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
        process::read(&mut command).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Rewrites the file that holds money.
    fn edit(&self, from: &str, to: &str) {
        self.edit_file(FILE, from, to);
    }

    fn edit_file(&self, file: &str, from: &str, to: &str) {
        let path = self.checkout.root().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from:?}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn contract(&self) -> Contract<'_> {
        Contract { checkout: &self.checkout, program: self.buf.clone() }
    }

    fn since_base(&self) -> Outcome {
        self.contract().breaks_since_base().unwrap()
    }

    fn since_release(&self) -> Outcome {
        self.contract().breaks_since_release().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn passed(outcome: &Outcome, remark: &str) {
    let Outcome::Passed(said) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(said.starts_with(remark), "{said}");
}

fn failed(outcome: &Outcome, remark: &str) {
    let Outcome::Failed(said) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(said.starts_with(remark), "{said}");
}

#[test]
fn a_deliberate_break_is_caught_and_growth_is_not() {
    let Some(repository) = Repository::new() else {
        return;
    };

    repository.edit(FIELD, &format!("{FIELD}  // New.\n  string note = 3;\n"));
    repository.commit("Grow");
    passed(&repository.since_base(), "against the first parent, ");

    repository.edit(FIELD, "");
    repository.commit("Break");
    failed(&repository.since_base(), "1 breaks against the first parent, ");
}

#[test]
fn an_event_that_nobody_calls_for_is_held_to_its_word_like_any_message() {
    let Some(repository) = Repository::new() else {
        return;
    };
    let events = "proto/shop/reviews/v1/events.proto";
    repository.commit("Do something else");

    // The number stays, and so do the bytes; whoever reads it as JSON would miss the field.
    repository.edit_file(events, "  string review_id = 1;", "  string id = 1;");

    failed(&repository.since_base(), "");
}

#[test]
fn a_break_that_is_not_committed_is_caught() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.commit("Do something else");

    repository.edit(FIELD, "");

    failed(&repository.since_base(), "1 breaks against the first parent, ");
}

#[test]
fn a_branch_is_compared_with_the_merge_base_rather_than_its_last_commit() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository.edit(FIELD, "");
    repository.commit("Break");
    repository.commit("Do something else");
    // What happens on main meanwhile is not the branch's doing.
    repository.git(&["switch", "--quiet", "main"]);
    repository.edit("string currency_code = 1;\n", "string currency_code = 1;\n  string more = 9;\n");
    repository.commit("Grow");
    repository.git(&["switch", "--quiet", "topic"]);

    failed(&repository.since_base(), "1 breaks against the merge base with main, ");
}

#[test]
fn before_the_first_release_a_break_must_be_admitted() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.edit(FIELD, "");
    repository.commit("Break\n\nBreaking:\n");
    failed(&repository.since_base(), "1 breaks against ");

    repository.git(&["commit", "--quiet", "--amend", "--message", "Break\n\nBreaking: money has one field"]);

    let outcome = repository.since_base();
    passed(&outcome, "1 breaks against ");
    let Outcome::Passed(said) = outcome else {
        return;
    };
    assert!(said.ends_with(", admitted: money has one field"), "{said}");
}

#[test]
fn after_the_first_release_nothing_excuses_a_break() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.git(&["tag", "v0.1.0"]);
    repository.edit(FIELD, "");
    repository.commit("Break\n\nBreaking: money has one field");
    failed(&repository.since_base(), "1 breaks against ");
    failed(&repository.since_release(), "1 breaks against v0.1.0; a released");

    // One commit later the base no longer sees it, and the release still does.
    repository.commit("Do something else");

    passed(&repository.since_base(), "against ");
    failed(&repository.since_release(), "1 breaks against v0.1.0; a released");
}

#[test]
fn a_release_is_compared_with_the_one_before_it() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.git(&["tag", "--annotate", "v0.0.1", "--message", "One"]);
    repository.edit(FIELD, "");
    repository.commit("Break\n\nBreaking: money has one field");
    repository.git(&["tag", "v0.1.0"]);

    let outcome = repository.since_release();

    passed(&outcome, "1 breaks against v0.0.1, admitted: ");
}

#[test]
fn where_there_is_no_base_it_is_said() {
    let Some(repository) = Repository::new() else {
        return;
    };
    let none = |why: &str| Outcome::NotRun(why.to_owned());

    assert_eq!(repository.since_base(), none("the first commit: there is no base"));
    assert_eq!(repository.since_release(), none("the first commit: there is no base"));
    repository.commit("Do something else");
    assert_eq!(repository.since_release(), none("no tag v* before this commit"));
}

#[test]
fn a_history_that_is_cut_off_is_not_taken_for_a_first_commit() {
    let Some(repository) = Repository::new() else {
        return;
    };
    repository.commit("Do something else");
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", repository.checkout.root().display());
    let to = clone.path().display().to_string();
    repository.git(&["clone", "--quiet", "--depth=1", &from, &to]);
    let checkout = Checkout::at(clone.path());
    let contract = Contract { checkout: &checkout, program: repository.buf.clone() };

    let refused = contract.breaks_since_base().unwrap_err();

    assert!(refused.to_string().ends_with("git fetch --unshallow"), "{refused}");
}

#[test]
fn lint_and_format_see_what_is_out_of_form() {
    let Some(repository) = Repository::new() else {
        return;
    };
    assert!(repository.contract().lint().is_ok());
    assert!(repository.contract().format().is_ok());

    repository.edit(FIELD, "      int64 minorUnits = 2;\n");

    assert!(repository.contract().lint().is_err());
    assert!(repository.contract().format().is_err());
}

#[test]
fn a_candidate_is_no_release() {
    assert_eq!(version("v0.1.0"), Some((0, 1, 0)));
    assert_eq!(version("v12.0.3"), Some((12, 0, 3)));
    for tag in ["v0.1.0-rc.1", "v1", "v1.2", "v1.2.3.4", "1.2.3", "v", "vendor"] {
        assert_eq!(version(tag), None, "{tag}");
    }
}
