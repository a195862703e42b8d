//! Categories and places as trees: the taxonomy and the gazetteer.
//!
//! A tree is what its paths say: `water/logging` is a child of `water`. A grievance that names a node the tree does
//! not know is taken at the nearest ancestor it does know, so that nothing is refused for a word too many.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use foldhash::fast::FixedState;

use crate::code::{CategoryPath, CodeError, PlacePath};
use crate::sheet::{Sheet, SheetError};

/// A node's place in its tree. The root, "anything", is 0.
pub(crate) type Node = u32;

/// The root of every tree: a grievance of which nothing is known.
pub(crate) const ROOT: Node = 0;

/// The most nodes a tree may have.
pub const MAX_NODES: usize = 100_000;

/// What a grievance is about: the taxonomy of categories.
pub type CategoryTree = Tree<CategoryPath>;

/// Where things are: districts, their tehsils, their places.
pub type PlaceTree = Tree<PlacePath>;

/// A path that a [`Tree`] can be made of.
pub trait TreePath: Clone + Eq + Hash + Ord + fmt::Display + AsRef<str> + Sized {
    /// The name of the column in which such paths stand, also used in errors.
    const WHAT: &'static str;
    /// Checks and takes a path.
    ///
    /// # Errors
    /// [`CodeError`] says what is wrong with it.
    fn parse(text: &str) -> Result<Self, CodeError>;
}

impl TreePath for CategoryPath {
    const WHAT: &'static str = "category";
    fn parse(text: &str) -> Result<Self, CodeError> {
        Self::new(text)
    }
}

impl TreePath for PlacePath {
    const WHAT: &'static str = "place";
    fn parse(text: &str) -> Result<Self, CodeError> {
        Self::new(text)
    }
}

/// A tree of categories or places.
///
/// ```
/// use nivaran::tree::CategoryTree;
///
/// let tree = CategoryTree::read("category,name\nwater,Water\nwater/logging,Water logging\n".as_bytes())?;
/// assert_eq!(tree.nearest("water/logging/underpass").map(|path| path.as_str()), Some("water/logging"));
/// assert_eq!(tree.nearest("roads"), None);
/// # Ok::<(), nivaran::tree::TreeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tree<P> {
    nodes: Vec<TreeNode<P>>,
    by_path: HashMap<String, Node, FixedState>,
}

#[derive(Debug, Clone)]
struct TreeNode<P> {
    /// `None` at the root only.
    path: Option<P>,
    name: String,
    parent: Node,
    depth: u8,
}

impl<P: TreePath> Tree<P> {
    /// Makes a tree of paths; parents come along with their children. A node's name is its path.
    #[must_use]
    pub fn from_paths(paths: impl IntoIterator<Item = P>) -> Self {
        let mut tree = Self::empty();
        for path in paths {
            tree.insert_with_parents(path.as_ref());
        }
        tree
    }

    /// Reads a tree from CSV: a header with the column `category` (or `place`) and, if wished, `name`; further
    /// columns, such as names in other languages, are passed over. Every parent has a row of its own, wherever.
    ///
    /// # Errors
    /// [`TreeError`] with the line: unreadable CSV, a missing column, a path that is none, a path twice, a child
    /// whose parent has no row, or more than [`MAX_NODES`] rows.
    pub fn read(csv: &[u8]) -> Result<Self, TreeError> {
        let mut sheet = Sheet::open(csv)?;
        let column = |name: &str| sheet.header().iter().position(|h| h == name);
        let path_column = column(P::WHAT).ok_or(TreeError::NoColumn { column: P::WHAT })?;
        let name_column = column("name");
        for name in [P::WHAT, "name"] {
            let again = sheet.header().iter().enumerate().filter(|(_, h)| *h == name).nth(1);
            if let Some((at, _)) = again {
                return Err(TreeError::ColumnTwice { column: name, at: at + 1 });
            }
        }
        let mut rows = Vec::new();
        while let Some((line, record)) = sheet.next_row()? {
            if rows.len() == MAX_NODES {
                return Err(TreeError::TooMany { what: P::WHAT, line });
            }
            let text = record.get(path_column).unwrap_or_default();
            let path = P::parse(text).map_err(|error| TreeError::Path { line, error })?;
            let name = name_column.and_then(|i| record.get(i)).filter(|name| !name.is_empty());
            rows.push((path, name.unwrap_or(text).to_owned(), line));
        }
        // Parents before children, whatever their order in the file.
        rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.2.cmp(&b.2)));
        let mut tree = Self::empty();
        for (path, name, line) in rows {
            let text = path.as_ref();
            if tree.by_path.contains_key(text) {
                return Err(TreeError::Twice { what: P::WHAT, path: text.to_owned(), line });
            }
            let parent = match text.rsplit_once('/') {
                None => ROOT,
                Some((parent, _)) => *tree.by_path.get(parent).ok_or_else(|| TreeError::NoParent {
                    what: P::WHAT,
                    path: text.to_owned(),
                    parent: parent.to_owned(),
                    line,
                })?,
            };
            tree.insert(path, name, parent);
        }
        Ok(tree)
    }

    /// The nearest node to `path` that the tree knows: itself or an ancestor; `None` when not even its first level.
    #[must_use]
    pub fn nearest(&self, path: &str) -> Option<&P> {
        self.nodes[self.nearest_node(path) as usize].path.as_ref()
    }

    /// Whether the tree has exactly this node.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// The node's name for people.
    #[must_use]
    pub fn name(&self, path: &str) -> Option<&str> {
        self.by_path.get(path).map(|&node| self.nodes[node as usize].name.as_str())
    }

    /// All paths, parents before their children, else in alphabetical order.
    pub fn paths(&self) -> impl Iterator<Item = &P> {
        self.nodes.iter().filter_map(|node| node.path.as_ref())
    }

    /// How many nodes there are, the root not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Whether there is no node but the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path of a node; `None` for the root and for what is no node.
    pub(crate) fn path(&self, node: Node) -> Option<&P> {
        self.nodes.get(node as usize)?.path.as_ref()
    }

    pub(crate) fn node(&self, path: &str) -> Option<Node> {
        self.by_path.get(path).copied()
    }

    pub(crate) fn nearest_node(&self, path: &str) -> Node {
        let mut rest = path;
        loop {
            if let Some(&node) = self.by_path.get(rest) {
                return node;
            }
            match rest.rsplit_once('/') {
                Some((parent, _)) => rest = parent,
                None => return ROOT,
            }
        }
    }

    pub(crate) fn parent(&self, node: Node) -> Node {
        self.nodes[node as usize].parent
    }

    pub(crate) fn depth(&self, node: Node) -> u8 {
        self.nodes[node as usize].depth
    }

    /// Whether a node is another or below it.
    pub(crate) fn is_within(&self, node: Node, above: Node) -> bool {
        std::iter::successors(Some(node), |&node| (node != ROOT).then(|| self.parent(node))).any(|node| node == above)
    }

    /// The tree's node numbers with the root; a parent's is always smaller than its children's.
    pub(crate) fn size(&self) -> usize {
        self.nodes.len()
    }

    fn empty() -> Self {
        let root = TreeNode { path: None, name: String::new(), parent: ROOT, depth: 0 };
        Self { nodes: vec![root], by_path: HashMap::default() }
    }

    fn insert(&mut self, path: P, name: String, parent: Node) -> Node {
        let node = self.nodes.len() as Node;
        let depth = self.depth(parent) + 1;
        self.by_path.insert(path.as_ref().to_owned(), node);
        self.nodes.push(TreeNode { path: Some(path), name, parent, depth });
        node
    }

    fn insert_with_parents(&mut self, text: &str) -> Node {
        if let Some(&node) = self.by_path.get(text) {
            return node;
        }
        let parent = text.rsplit_once('/').map_or(ROOT, |(parent, _)| self.insert_with_parents(parent));
        match P::parse(text) {
            Ok(path) => self.insert(path, text.to_owned(), parent),
            // A prefix of a well-formed path is one; the parent is as near as one gets otherwise.
            Err(_) => parent,
        }
    }
}

/// Why a taxonomy or gazetteer is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The file is no sheet.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The header lacks the column with the paths.
    #[error("line 1: no column '{column}'; name it so in the first line")]
    NoColumn {
        /// The column.
        column: &'static str,
    },
    /// The header has a column twice that is read.
    #[error("line 1, column {at}: the column '{column}' stands twice; remove one of the two")]
    ColumnTwice {
        /// Its name.
        column: &'static str,
        /// The place of the later one, counted from 1.
        at: usize,
    },
    /// A path is malformed.
    #[error("line {line}: {error}")]
    Path {
        /// The line.
        line: usize,
        /// What is wrong with the path.
        error: CodeError,
    },
    /// A path stands twice.
    #[error("line {line}: {what} '{path}' stands in the file already; remove one of the two rows")]
    Twice {
        /// `category` or `place`.
        what: &'static str,
        /// The path.
        path: String,
        /// The later line.
        line: usize,
    },
    /// A parent has no row.
    #[error("line {line}: {what} '{path}' has no parent; add a row for '{parent}'")]
    NoParent {
        /// `category` or `place`.
        what: &'static str,
        /// The path.
        path: String,
        /// The parent it lacks.
        parent: String,
        /// The line.
        line: usize,
    },
    /// The file is too long.
    #[error("line {line}: more than {MAX_NODES} rows of {what}; split or shorten the file")]
    TooMany {
        /// `category` or `place`.
        what: &'static str,
        /// The first line too many.
        line: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(csv: &str) -> Result<CategoryTree, TreeError> {
        Tree::read(csv.as_bytes())
    }

    #[test]
    fn children_may_stand_before_their_parents() {
        let tree = read("category,name\nwater/logging,Logging\nwater,Water\n").unwrap();
        assert_eq!(tree.len(), 2);
        assert_eq!(tree.name("water"), Some("Water"));
        let logging = tree.node("water/logging").unwrap();
        assert_eq!((tree.depth(logging), tree.path(tree.parent(logging)).unwrap().as_str()), (2, "water"));
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(read("name\nx\n").unwrap_err(), TreeError::NoColumn { column: "category" });
        assert!(matches!(read("category\nwater\nwater\n").unwrap_err(), TreeError::Twice { line: 3, .. }));
        assert!(matches!(read("category\nwater/logging\n").unwrap_err(), TreeError::NoParent { line: 2, .. }));
        assert!(matches!(read("category\nWater\n").unwrap_err(), TreeError::Path { line: 2, .. }));
        assert!(matches!(
            read("category,name\nwater\n").unwrap_err(),
            TreeError::Sheet(SheetError::Ragged { line: 2, .. })
        ));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_header() {
        assert!(read("\u{feff}category\nwater\n").is_ok());
    }

    #[test]
    fn an_unknown_node_is_its_nearest_known_ancestor() {
        let tree = CategoryTree::from_paths([CategoryPath::new("a/b").unwrap()]);
        assert_eq!(tree.nearest("a/b/c/d").unwrap().as_str(), "a/b");
        assert_eq!(tree.nearest("a/x").unwrap().as_str(), "a");
        assert_eq!(tree.nearest("x"), None);
    }
}
