/* zygote_import.c - modules that programs often import, loaded before the program comes and out of its sight.
 *
 * A module that is ready is not in sys.modules.  It gets there when the program imports it, together with
 * what it imports itself, in the order in which that would have been loaded; and only if the search would
 * have found the same: the finders and sys.path are as they were, and no file of the program's own has that
 * name.  In all other cases the interpreter's search goes on as ever.
 *
 * The interpreter calls `_find_and_load` of importlib's own module for what is not in sys.modules; ours
 * stands in its place, and is no Python function, so that no traceback shows it. */
#include "zygote_module.h"

#include <stdbool.h>

static struct {
    PyObject *search;  /* the interpreter's own _find_and_load */
    PyObject *in_path; /* PathFinder.find_spec */
    PyObject *home;    /* [the folder of main.py], as sys.path[0] is in a job */
    PyObject *lists;   /* {a list that sys has: as it is in a job that has not changed it} */
    /* {name: id of the module}: those that a program has from its start or was given.  Not the modules
     * themselves: they are to end as others do. */
    PyObject *known;
    /* {name: (module, names that it imports or adds, is it searched in sys.path, folders)}, of which what was
     * given is taken out */
    PyObject *ready;
    PyObject *builtins, *import; /* its dict, and `__import__` in it */
    PyObject *watchers[2];       /* sys.gettrace, sys.getprofile */
} im;

/* ---- would the search find the same? --------------------------------------------------------- */

/* Are the finders and the path what they were?  -1: an exception. */
static int is_untouched(void)
{
    PyObject *name, *was;
    Py_ssize_t at = 0;

    while (PyDict_Next(im.lists, &at, &name, &was)) {
        PyObject *text = PyUnicode_AsUTF8String(name);
        PyObject *is = text == NULL ? NULL : PySys_GetObject(PyBytes_AsString(text));
        int same;

        Py_XINCREF(is);
        same = is == NULL ? 0 : PyObject_RichCompareBool(is, was, Py_EQ);
        Py_XDECREF(is);
        Py_XDECREF(text);
        if (same != 1)
            return PyErr_Occurred() ? -1 : 0;
    }
    return PyDict_GetItemString(im.builtins, "__import__") == im.import;
}

/* Does the program follow what the interpreter does? */
static int is_watched(void)
{
    for (size_t i = 0; i < sizeof(im.watchers) / sizeof(im.watchers[0]); i++) {
        PyObject *watcher = PyObject_CallObject(im.watchers[i], NULL);
        int none = watcher == Py_None;

        Py_XDECREF(watcher);
        if (!none)
            return watcher == NULL ? -1 : 1;
    }
    return 0;
}

/* Has the program a file of that name beside main.py? */
static int is_shadowed(PyObject *name)
{
    PyObject *spec = PyObject_CallFunctionObjArgs(im.in_path, name, im.home, NULL);
    int shadowed = spec == NULL ? -1 : spec != Py_None;

    Py_XDECREF(spec);
    return shadowed;
}

/* "a.b" comes after "a": into *ret, NULL if there is no dot. */
static int parent_of(PyObject *name, PyObject **ret)
{
    Py_ssize_t length = PyUnicode_GetLength(name), dot = PyUnicode_FindChar(name, '.', 0, length, -1);

    *ret = dot < 0 ? NULL : PyUnicode_Substring(name, 0, dot);
    return dot == -2 || (dot >= 0 && *ret == NULL) ? -1 : 0;
}

/* ---- what comes with it -------------------------------------------------------------------------- */

struct gathered {
    PyObject *names;   /* in the order in which loading them would have ended */
    PyObject *seen;    /* the same and those on the way */
    PyObject *folders; /* of packages: ((path, finder), ...) for each, in the order of the search */
};

static int gather(struct gathered *g, PyObject *name);

static int gather_all(struct gathered *g, PyObject *names)
{
    int rc = 1;

    for (Py_ssize_t i = 0; rc == 1 && i < PyTuple_Size(names); i++)
        rc = gather(g, PyTuple_GetItem(names, i));
    return rc;
}

static int gather_parent(struct gathered *g, PyObject *name)
{
    PyObject *parent;
    int rc = parent_of(name, &parent);

    if (rc == 0)
        rc = parent == NULL ? 1 : gather(g, parent);
    Py_XDECREF(parent);
    return rc;
}

/* Of what is in sys.modules: is it what `name` meant when what is ready was loaded? */
static int is_known(PyObject *name, PyObject *module)
{
    PyObject *id = PyDict_GetItemWithError(im.known, name);

    return id != NULL && PyLong_AsVoidPtr(id) == module;
}

/* As gather(), of what is not in sys.modules. */
static int gather_entry(struct gathered *g, PyObject *name, PyObject *entry)
{
    PyObject *module, *others, *folders;
    int rc, by_path;

    if (!PyArg_ParseTuple(entry, "OOpO", &module, &others, &by_path, &folders))
        return -1;
    if ((rc = gather_parent(g, name)) != 1 || (rc = PySet_Contains(g->seen, name)) != 0)
        return rc; /* the parent may have asked for it itself */
    if (by_path && (rc = is_shadowed(name)) != 0)
        return rc < 0 ? rc : 0;
    if (PySet_Add(g->seen, name) != 0 || PyList_Append(g->folders, folders) != 0 ||
        (rc = gather_all(g, others)) < 0)
        return -1;
    return rc == 0 ? 0 : PyList_Append(g->names, name) == 0 ? 1 : -1;
}

/* 1: `name` and all that comes with it can be given, 0: not, -1: an exception.  Whatever calls the
 * interpreter lets other threads run, and they may take entries away. */
static int gather(struct gathered *g, PyObject *name)
{
    PyObject *there = PyDict_GetItemWithError(PyImport_GetModuleDict(), name), *entry;
    int rc;

    if (there != NULL)
        return is_known(name, there);
    rc = PyErr_Occurred() ? -1 : PySet_Contains(g->seen, name);
    if (rc != 0)
        return rc;
    entry = PyDict_GetItemWithError(im.ready, name);
    if (entry == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_INCREF(entry);
    rc = gather_entry(g, name, entry);
    Py_DECREF(entry);
    return rc;
}

/* ---- giving ---------------------------------------------------------------------------------------- */

/* The search would have made a finder for each folder. */
static int add_finders(PyObject *folders)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");

    for (Py_ssize_t i = 0; cache != NULL && i < PyTuple_Size(folders); i++) {
        PyObject *folder = PyTuple_GetItem(folders, i), *path = PyTuple_GetItem(folder, 0);

        if (PyDict_GetItemWithError(cache, path) == NULL &&
            (PyErr_Occurred() || PyDict_SetItem(cache, path, PyTuple_GetItem(folder, 1)) != 0))
            return -1;
    }
    return 0;
}

static int give_one(PyObject *name)
{
    PyObject *entry = PyDict_GetItemWithError(im.ready, name), *module, *id;
    int rc;

    if (entry == NULL) /* another thread has asked for it while this one looked for files */
        return PyErr_Occurred() ? -1 : 0;
    module = PyTuple_GetItem(entry, 0);
    id = PyLong_FromVoidPtr(module);
    rc = id == NULL ? -1 : PyDict_SetItem(im.known, name, id);
    Py_XDECREF(id);
    if (rc == 0)
        rc = PyDict_SetItem(PyImport_GetModuleDict(), name, module);
    return rc == 0 ? PyDict_DelItem(im.ready, name) : rc;
}

static int give(const struct gathered *g)
{
    int rc = 0;

    for (Py_ssize_t i = 0; rc == 0 && i < PyList_Size(g->folders); i++)
        rc = add_finders(PyList_GetItem(g->folders, i));
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_Size(g->names); i++)
        rc = give_one(PyList_GetItem(g->names, i));
    return rc;
}

/* The module, from what is ready; NULL without an exception: let the interpreter search. */
static PyObject *provide(PyObject *name)
{
    struct gathered g = {0};
    PyObject *module = NULL;

    if (PyDict_GetItemWithError(im.ready, name) == NULL || is_untouched() != 1 || is_watched() != 0)
        return NULL;
    g.names = PyList_New(0);
    g.folders = PyList_New(0);
    g.seen = PySet_New(NULL);
    if (g.names != NULL && g.folders != NULL && g.seen != NULL && gather(&g, name) == 1 && give(&g) == 0) {
        module = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
        Py_XINCREF(module);
    }
    Py_XDECREF(g.names);
    Py_XDECREF(g.folders);
    Py_XDECREF(g.seen);
    return module;
}

/* In place of importlib._bootstrap._find_and_load(name, import_). */
static PyObject *find_and_load(PyObject *self, PyObject *args)
{
    PyObject *module = PyTuple_Size(args) == 2 ? provide(PyTuple_GetItem(args, 0)) : NULL;

    (void)self;
    return module != NULL || PyErr_Occurred() ? module : PyObject_Call(im.search, args, NULL);
}

/* imports(search, in_path, home, lists, known, ready) -> what is to stand in the place of `search` */
PyObject *imports_take_over(PyObject *self, PyObject *args)
{
    static PyMethodDef method = {"_find_and_load", find_and_load, METH_VARARGS, NULL};

    (void)self;
    if (!PyArg_ParseTuple(args, "OOOO!O!O!", &im.search, &im.in_path, &im.home, &PyDict_Type, &im.lists,
                          &PyDict_Type, &im.known, &PyDict_Type, &im.ready))
        return NULL;
    Py_INCREF(args); /* and all of them with it */
    im.builtins = PyEval_GetBuiltins();
    Py_XINCREF(im.builtins);
    im.import = PyDict_GetItemString(im.builtins, "__import__");
    im.watchers[0] = PySys_GetObject("gettrace");
    im.watchers[1] = PySys_GetObject("getprofile");
    Py_XINCREF(im.import);
    Py_XINCREF(im.watchers[0]);
    Py_XINCREF(im.watchers[1]);
    return im.import == NULL ? NULL : PyCFunction_New(&method, NULL);
}
