import { window } from 'vscode'
import { livePicker } from './livePicker'
import type { Prompts } from './prompts'

/** Prompts in VS Code's own dialogs, pickers and notifications. */
export const windowPrompts: Prompts = {
  async confirm({ message, detail, action }) {
    return (await window.showWarningMessage(message, { modal: true, detail }, action)) === action
  },

  async pickOne(choices, { title, placeholder }) {
    const picked = await window.showQuickPick(mutable(choices), {
      title,
      placeHolder: placeholder,
      matchOnDescription: true,
      matchOnDetail: true,
    })
    return picked?.value
  },

  async pickMany(choices, { title, placeholder }) {
    const items = choices.map((choice) => ({ ...choice, picked: true }))
    const picked = await window.showQuickPick(items, {
      title,
      placeHolder: placeholder,
      matchOnDescription: true,
      matchOnDetail: true,
      canPickMany: true,
    })
    return picked?.map(({ value }) => value)
  },

  pickLive: livePicker,

  async input({ title, prompt, placeholder, value }) {
    const text = (
      await window.showInputBox({ title, prompt, placeHolder: placeholder, value, ignoreFocusOut: true })
    )?.trim()
    return text === '' ? undefined : text
  },

  async notify(severity, message, actions) {
    switch (severity) {
      case 'info':
        return window.showInformationMessage(message, ...actions)
      case 'warning':
        return window.showWarningMessage(message, ...actions)
      case 'error':
        return window.showErrorMessage(message, ...actions)
    }
  },
}

async function mutable<T>(choices: Promise<readonly T[]> | readonly T[]): Promise<T[]> {
  return [...(await choices)]
}
