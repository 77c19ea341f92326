"""How desired state comes true: one folder for each stage of the line desired → observed → planning → applying → reporting."""
