"""Modules and the functions in them, by name."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import CoroutineType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Dict, List, Optional, Tuple

# inspect.CO_COROUTINE, without the import of inspect.
_CO_COROUTINE = 0x80


class MissingExportError(Exception):
    """The pool names a function that its module does not have. Called as in a Node worker."""

    def __init__(self, module: str, name: str, available: List[str]) -> None:
        has = ", ".join("'%s'" % one for one in available) or "no function at all"
        super().__init__("module '%s' has no function '%s'; it has %s" % (module, name, has))


class MissingModuleError(Exception):
    """There is no module of the name that the pool was given."""

    def __init__(self, module: str) -> None:
        super().__init__(
            "there is no module '%s' in %s, nor where %s looks for modules. "
            'Write "python" as package.module:function, and the folder that holds the package '
            'as "cwd"' % (module, os.getcwd(), sys.executable)
        )


class Functions:
    """What the pool may run.

    A function is looked up when it is first run: its module may fail to load, for that task alone.
    """

    def __init__(self) -> None:
        self._module = ""
        self._default = "default"
        self._named: Dict[int, Tuple[Optional[str], str]] = {}

    def load(self, module: str, default: Optional[str]) -> ModuleType:
        """Load the pool's module.

        Raises what that raises, MissingModuleError or MissingExportError.
        """
        try:
            loaded = import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not (module + ".").startswith(error.name + "."):
                # The module is there; something that it imports is not.
                raise
            raise MissingModuleError(module) from None
        self._module = module
        if default is not None and default != "default":
            self._default = default
            try:
                self.by_name(None, default)
            except MissingExportError as error:
                error.args = ('%s. Write the name of one after the colon of "python"' % error,)
                raise
        return loaded

    def define(self, function_id: int, module: Optional[str], name: str) -> None:
        """What a number stands for from now on; without that, it is the pool's own function."""
        self._named[function_id] = (module, name)

    def by_id(self, function_id: int) -> Callable[..., Any]:
        """The function, found anew. Raises what its module raises, or MissingExportError."""
        return self.by_name(*self._named.get(function_id, (None, "default")))

    def by_name(self, module: Optional[str], name: str) -> Callable[..., Any]:
        """The function `name` ("Class.method" too) of a module, or of the pool's own.

        'default' is the pool's function, else the only function of a module that has one.
        """
        path = self._module if module is None else module
        found: Any = import_module(path)
        if name == "default" and not hasattr(found, "default"):
            own = _functions_of(found)
            if path == self._module and self._default != "default":
                name = self._default
            elif len(own) == 1:
                name = own[0]
        for part in name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise MissingExportError(path, name, callable_names(sys.modules[path]))
        return found  # type: ignore[no-any-return]


def _functions_of(module: ModuleType) -> List[str]:
    """Names of the functions that a module defines itself."""
    return [
        name
        for name in callable_names(module)
        if getattr(getattr(module, name), "__module__", None) == module.__name__
    ]


def callable_names(module: ModuleType) -> List[str]:
    """Names of everything in a module that can be called and is not private."""
    return [
        name
        for name, value in list(vars(module).items())
        if callable(value) and not name.startswith("_")
    ]


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether a call makes a coroutine for sure (another callable may return one all the same)."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & _CO_COROUTINE)


def run_coroutine(coroutine: CoroutineType[Any, Any, Any]) -> Any:
    """Its result, from an event loop of its own: nothing is left behind for the next task's."""
    import asyncio

    return asyncio.run(coroutine)


def call_each(function: Callable[..., Any], items: List[Any], star: bool) -> List[Any]:
    """The results of a chunk, in order; the first item that raises ends it."""
    if is_coroutine_function(function):
        return [run_coroutine(function(*item) if star else function(item)) for item in items]
    if star:
        results = [function(*item) for item in items]
    else:
        results = [function(item) for item in items]
    if CoroutineType in map(type, results):
        results = [run_coroutine(one) if type(one) is CoroutineType else one for one in results]
    return results
