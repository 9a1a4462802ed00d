"""What the operator's commands do, apart from how they are called: imported only when one of them runs."""
