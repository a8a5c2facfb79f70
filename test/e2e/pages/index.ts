export { Palette } from './palette'
export { PoolsView, type Row } from './poolsView'
export { TaskPicker } from './taskPicker'
export { Workbench } from './workbench'
