import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { workspace, type Uri } from 'vscode'
import { readSetting } from '../contributions/settings'

const inEnvironment = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']

/**
 * The Python that runs a file of a folder: the setting `unhang.pythonPath`, else the one that the Python extension is
 * told to use, else that of `.venv` or `venv` in the folder, else `python3` in PATH.
 */
export function interpreterFor(folder: Uri): string {
  const own = readSetting('pythonPath', folder)
  if (own !== '') return own
  const theirs = workspace.getConfiguration('python', folder).get<unknown>('defaultInterpreterPath')
  // Its default says nothing, and its variables are its own.
  if (typeof theirs === 'string' && theirs !== '' && theirs !== 'python' && !theirs.includes('${')) return theirs
  const environment = ['.venv', 'venv']
    .map((name) => join(folder.fsPath, name, ...inEnvironment))
    .find((path) => existsSync(path))
  return environment ?? (process.platform === 'win32' ? 'python' : 'python3')
}
