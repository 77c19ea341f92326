"""How desired state comes true: a folder for each stage, desired → observed → planning → applying → reporting."""
