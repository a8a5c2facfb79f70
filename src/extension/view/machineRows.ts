import * as l10n from '@vscode/l10n'
import type { MachineSnapshot } from '../../protocol'
import { formatBytes, formatPercent } from '../../words'
import type { RowText } from '../text/rows'

/** A row of the machine view. */
export interface MachineRow extends RowText {
  readonly id: 'cpu' | 'load' | 'memory' | 'pools'
  readonly icon: string
}

/** The machine in four rows: CPU and cores, load, memory, and what of it the pools take. */
export function machineRows(machine: MachineSnapshot): MachineRow[] {
  const [one, five, fifteen] = machine.loadAverage.map((load) => load.toFixed(2))
  return [
    row(
      'cpu',
      'dashboard',
      l10n.t('CPU'),
      l10n.t('{0} of {1} cores', formatPercent(machine.cpuPercent), machine.cores),
    ),
    row(
      'load',
      'pulse',
      l10n.t('Load'),
      l10n.t('{0} · {1} · {2} (1, 5, 15 min)', one ?? '', five ?? '', fifteen ?? ''),
    ),
    row(
      'memory',
      'database',
      l10n.t('Memory'),
      l10n.t('{0} of {1}', formatBytes(machine.memoryUsedBytes), formatBytes(machine.memoryTotalBytes)),
    ),
    row(
      'pools',
      'server-process',
      l10n.t('Pools'),
      l10n.t('CPU {0} · memory {1}', formatPercent(machine.poolsCpuPercent), formatBytes(machine.poolsMemoryBytes)),
    ),
  ]
}

function row(id: MachineRow['id'], icon: string, label: string, description: string): MachineRow {
  return { id, icon, label, description, accessibilityLabel: `${label}: ${description}` }
}
