export { Palette } from './palette'
export { PoolsView, type Row } from './pools-view'
export { TaskPicker } from './task-picker'
export { Workbench } from './workbench'
