package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits of what is read: far beyond any real installation.
const (
	maxFileBytes = 4 << 20
	maxFiles     = 2000
	maxEntries   = 10_000 // guests, stacks or certificates of one file
)

// source is one file of the input.
type source struct {
	name string // as problems name it
	raw  []byte
	// given says that the file itself was named, not just a folder around it.
	given bool
	// fsys and dir say where the file lies, for references to its neighbours.
	fsys fs.FS
	dir  string
}

// collect reads the files and folders at paths. What cannot be opened is an
// error; a file too large or not readable inside a folder is a problem.
func collect(paths []string) ([]source, []Problem, error) {
	var sources []source
	var problems []Problem
	for _, p := range paths {
		found, bad, err := collectOne(p)
		if err != nil {
			return nil, nil, fmt.Errorf("import %s: %w", p, err)
		}
		tellApart(found, sources, p)
		sources, problems = append(sources, found...), append(problems, bad...)
	}
	return sources, problems, nil
}

// collectOne reads one file, or the files of one folder.
func collectOne(p string) ([]source, []Problem, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return folder(os.DirFS(p))
	}
	s, bad := readSource(os.DirFS(filepath.Dir(p)), filepath.Base(p))
	s.given = true
	if bad != nil {
		return nil, []Problem{*bad}, nil
	}
	return []source{s}, nil, nil
}

// tellApart puts the folder's name before the names of files that an earlier
// folder has as well.
func tellApart(found, earlier []source, p string) {
	taken := map[string]bool{}
	for _, s := range earlier {
		taken[s.name] = true
	}
	parent := p
	if len(found) == 1 && found[0].given {
		parent = filepath.Dir(p)
	}
	for i := range found {
		if taken[found[i].name] {
			found[i].name = filepath.Base(parent) + "/" + found[i].name
		}
	}
}

var errTooMany = errors.New("too many files; name the configuration's own folder")

// folder reads every JSON file of a folder and the folders in it. Hidden folders
// and schemas are passed over.
func folder(fsys fs.FS) ([]source, []Problem, error) {
	var sources []source
	var problems []Problem
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			problems = append(problems, unreadable(name, err))
			return nil
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir(), path.Ext(name) != ".json", strings.HasSuffix(name, ".schema.json"):
			return nil
		case len(sources) == maxFiles:
			return errTooMany
		}
		s, bad := readSource(fsys, name)
		if bad != nil {
			problems = append(problems, *bad)
			return nil
		}
		sources = append(sources, s)
		return nil
	})
	return sources, problems, err
}

func readSource(fsys fs.FS, name string) (source, *Problem) {
	s := source{name: name, fsys: fsys, dir: path.Dir(name)}
	var err error
	if s.raw, err = content(fsys, name); err != nil {
		p := unreadable(name, err)
		return s, &p
	}
	return s, nil
}

// content reads a regular file of bounded size. It looks before it opens:
// opening a pipe would wait for a writer.
func content(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(raw) > maxFileBytes {
		err = fmt.Errorf("larger than %d bytes", maxFileBytes)
	}
	return raw, err
}

func unreadable(name string, err error) Problem {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return problem(Error, place{file: name}, "make the file readable, or leave it out", "cannot be read: %v", err)
}

// holds reports whether a file that the configuration refers to lies beside the
// source, or in the folder that was given.
func (s source) holds(reference string) bool {
	for _, name := range []string{path.Join(s.dir, reference), path.Clean(reference)} {
		if !fs.ValidPath(name) {
			continue
		}
		if _, err := fs.Stat(s.fsys, name); err == nil {
			return true
		}
	}
	return false
}
