import { QuickPickItemKind, window, type QuickPickItem } from 'vscode'
import { isDeepStrictEqual } from 'node:util'
import { DisposableStore } from '../lifecycle'
import type { Choice, ChoiceHeading, LiveChoices, PickOptions } from './prompts'

interface Item<T> extends QuickPickItem {
  readonly choice?: Choice<T>
}

/**
 * A picker that is on the screen at once and keeps up with what it lists; the line one is on stays under the cursor.
 */
export function livePicker<T>(choices: LiveChoices<T>, { title, placeholder }: PickOptions): Promise<T | undefined> {
  const owned = new DisposableStore()
  const picker = owned.add(window.createQuickPick<Item<T>>())
  picker.title = title
  picker.placeholder = placeholder
  picker.matchOnDescription = true
  picker.matchOnDetail = true
  picker.keepScrollPosition = true
  picker.busy = true
  return new Promise<T | undefined>((resolve) => {
    let shown: readonly (Choice<T> | ChoiceHeading)[] = []
    owned.add(
      picker.onDidAccept(() => {
        const [picked] = picker.selectedItems
        if (picked?.choice === undefined) return
        resolve(picked.choice.value)
        picker.hide()
      }),
    )
    owned.add(
      picker.onDidHide(() => {
        resolve(undefined)
        owned.dispose()
      }),
    )
    picker.show()
    owned.add(
      choices((lines) => {
        picker.busy = false
        if (isDeepStrictEqual(lines, shown)) return
        shown = lines
        const active = picker.activeItems[0]?.choice?.value
        const items = lines.map((line) => itemOf(line))
        picker.items = items
        picker.activeItems = items.filter(
          (item) => item.choice !== undefined && isDeepStrictEqual(item.choice.value, active),
        )
      }),
    )
  })
}

function itemOf<T>(line: Choice<T> | ChoiceHeading): Item<T> {
  if ('heading' in line) return { label: line.heading, kind: QuickPickItemKind.Separator }
  const { label, description, detail, iconPath } = line
  return {
    label,
    ...(description === undefined ? {} : { description }),
    ...(detail === undefined ? {} : { detail }),
    ...(iconPath === undefined ? {} : { iconPath }),
    choice: line,
  }
}
